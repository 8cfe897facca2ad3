import assert from "node:assert/strict"
import fc from "fast-check"
import { attributes, html, safeUrl, trusted } from "../../../service/pages/html.ts"
import { placesOf } from "../../../service/pages/template.ts"

const HOSTILE = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  "` onfocus=alert(1) autofocus `",
  `</title><script>alert(1)</script>`,
  `--><script>alert(1)</script>`,
  `&lt;b&gt;`,
  `\u0000<b>`,
]
const anything = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE))

describe("html", () => {
  it("text and attributes come back as they were given, whatever they hold", () => {
    fc.assert(
      fc.property(anything, text => {
        const inText = /^<p>([^<>"'`]*)<\/p>$/.exec(String(html`<p>${text}</p>`))
        assert.equal(decode(inText?.[1]), text)
        const inValue = /^<p title="([^<>"'`]*)">x<\/p>$/.exec(String(html`<p title="${text}">x</p>`))
        assert.equal(decode(inValue?.[1]), text)
        const single = /^<p title='([^<>"'`]*)'>x<\/p>$/.exec(String(html`<p title='${text}'>x</p>`))
        assert.equal(decode(single?.[1]), text)
        const inList = /^<p data-x="([^<>"'`]*)">$/.exec(String(html`<p ${attributes({ "data-x": text })}>`))
        assert.equal(decode(inList?.[1]), text)
      }),
    )
  })

  it("a URL never leads to a script or to another site by a trick", () => {
    const refused = [
      "javascript:alert(1)",
      " javascript:alert(1)",
      "java\nscript:alert(1)",
      "JAVASCRIPT:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "//evil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/\t/evil.example",
      "https:evil.example",
      "http://",
      "relative/path",
      "",
    ]
    for (const url of refused) assert.equal(String(html`<a href="${url}">`), `<a href="#">`, url)
    for (const url of ["/", "/a/b?c=d#e", "?page=2", "#main", "https://example.com/x", "http://127.0.0.1:8080/"]) {
      assert.equal(safeUrl(url), url)
      assert.equal(String(html`<a ${attributes({ href: url })}>`), `<a href="${url.replaceAll("&", "&amp;")}">`)
    }
    assert.equal(String(html`<form ${attributes({ action: "javascript:alert(1)" })}>`), `<form action="#">`)
  })

  it("a browser finds the same place for any URL that is let through", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          fc.webUrl(),
          anything.map(text => `/${text}`),
        ),
        text => {
          const url = safeUrl(text)
          const { protocol, host } = new URL(url, "https://here.example/page")
          assert.match(protocol, /^https?:$/)
          if (!/^https?:\/\//i.test(url)) assert.equal(host, "here.example")
        },
      ),
    )
  })

  it("a value behind a literal prefix of a URL stays one part of the path", () => {
    assert.equal(
      String(html`<a href="/operations/${"../../x?y#z"}/log">`),
      `<a href="/operations/..%2F..%2Fx%3Fy%23z/log">`,
    )
    assert.equal(String(html`<a href="/${"/evil.example"}">`), `<a href="/%2Fevil.example">`)
    assert.equal(String(html`<a href="/${"\ud800"}">`), `<a href="/%EF%BF%BD">`)
  })

  it("nothing prints for null, undefined and false; zero and lists do", () => {
    assert.equal(
      String(html`<p>${null}${undefined}${false}${0}${["a", html`<b>${"<"}</b>`, [1]]}</p>`),
      "<p>0a<b>&lt;</b>1</p>",
    )
    assert.equal(
      String(html`<p ${attributes({ hidden: true, id: null, "data-n": 0, title: "" })}>`),
      `<p hidden data-n="0" title="">`,
    )
  })

  it("markup goes through in text and is refused in attributes", () => {
    assert.equal(String(html`<p>${trusted("<b>x</b>")}</p>`), "<p><b>x</b></p>")
    assert.throws(() => html`<p title="${html`<b>`}">`, /Markup may not stand in an attribute/)
  })

  it("places that cannot be made safe are refused", () => {
    const refused: [string[], RegExp][] = [
      [["<script>let a = '", "'</script>"], /No value may stand in <script>/],
      [["<style>a{color:", "}</style>"], /No value may stand in <style>/],
      [["<!-- ", " -->"], /comment/],
      [["<", " a>"], /tag's name/],
      [["</d", ">"], /in a tag/],
      [["<a title=", ">"], /quoted/],
      [["<a title= ", ">"], /quoted/],
      [["<a data-", "='x'>"], /quoted/],
      [['<a onclick="', '">'], /onclick/],
      [['<a STYLE="', '">'], /STYLE/],
      [['<iframe srcdoc="', '">'], /srcdoc/],
    ]
    for (const [literals, message] of refused) assert.throws(() => placesOf(literals), message, literals.join("…"))
    assert.throws(() => html`<a ${"title=x"}>`, /Only attributes/)
    for (const name of ["onclick", "style", "srcdoc", "a b", 'x"']) {
      assert.throws(() => attributes({ [name]: "x" }), /No attribute/)
    }
  })

  it("places are told across many literals", () => {
    assert.deepEqual(
      placesOf([
        '<a href="',
        '" class="x ',
        '"><b>',
        "</b> > <i ",
        ' data-a="1">',
        '</i><script src="',
        '"></script>',
        "",
      ]),
      ["url", "attribute", "text", "attributes", "text", "url", "text"],
    )
  })
})

function decode(text: string | undefined): string | undefined {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#96": "`" }
  return text?.replace(/&([^;]+);/g, (_, name: string) => characters[name] ?? "?")
}
