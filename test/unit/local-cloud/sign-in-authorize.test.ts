import assert from "node:assert/strict"
import { request as httpRequest } from "node:http"
import { answerPage, startSignIn, type TestSignIn } from "../../support/sign-in.ts"
import { createVisitor } from "../../support/visitor.ts"

const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

describe("GET and POST /login/oauth/authorize", () => {
  let signIn: TestSignIn
  const visitor = createVisitor()
  afterEach(() => signIn.close())
  const start = async (options: { callbackUrl?: string } = {}) => {
    signIn = await startSignIn(options)
  }
  const address = (more: Record<string, string | undefined> = {}) => {
    const all = { client_id: signIn.clientId, redirect_uri: "http://localhost:9/back", state: "s", ...more }
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return `${signIn.url}/login/oauth/authorize?${new URLSearchParams(given)}`
  }
  const ask = (more: Record<string, string | undefined> = {}) => fetch(address(more), { redirect: "manual" })
  const send = (form: Record<string, string>) => {
    const body = new URLSearchParams(form)
    return fetch(`${signIn.url}/login/oauth/authorize`, { method: "POST", body, redirect: "manual" })
  }
  const location = (response: Response) => new URL(response.headers.get("location") ?? "http://nowhere/")
  const requestOf = async (response: Response) =>
    /name="request" value="([0-9a-f]{32})"/.exec(await response.text())?.[1] ?? ""

  it("sends code and state back, and nothing else", async () => {
    await start()
    const to = location(await send({ request: await requestOf(await ask()), login: "alice" }))
    assert.equal(to.origin + to.pathname, "http://localhost:9/back")
    assert.deepEqual([...to.searchParams.keys()], ["code", "state"])
    assert.match(to.searchParams.get("code") ?? "", /^[0-9a-f]{20}$/)
  })
  it("sends no state back where none came", async () => {
    await start()
    const to = location(await send({ request: await requestOf(await ask({ state: undefined })), login: "alice" }))
    assert.deepEqual([...to.searchParams.keys()], ["code"])
  })
  it("gives a new code to a second click", async () => {
    await start()
    const request = await requestOf(await ask())
    const codes = [await send({ request, login: "alice" }), await send({ request, login: "alice" })].map(response =>
      location(response).searchParams.get("code"),
    )
    assert.equal(new Set(codes).size, 2)
  })
  it("without redirect_uri goes to the registered callback", async () => {
    await start({ callbackUrl: "http://127.0.0.1:9/cb" })
    const request = await requestOf(await ask({ redirect_uri: undefined }))
    assert.match(location(await send({ request, login: "alice" })).href, /^http:\/\/127\.0\.0\.1:9\/cb\?code=/)
  })

  it("is 404 for a client it does not know, and for none", async () => {
    await start()
    for (const client_id of ["", "x".repeat(20), undefined]) {
      const response = await ask({ client_id })
      assert.equal(response.status, 404)
      assert.match(response.headers.get("content-type") ?? "", /text\/html/)
    }
  })
  it("redirects to the registered callback when redirect_uri does not fit, never to the other", async () => {
    await start({ callbackUrl: "http://127.0.0.1:9/cb" })
    const to = location(await ask({ redirect_uri: "https://evil.example/cb" }))
    assert.equal(to.origin + to.pathname, "http://127.0.0.1:9/cb")
    assert.deepEqual(Object.fromEntries(to.searchParams), {
      error: "redirect_uri_mismatch",
      error_description: "The redirect_uri MUST match the registered callback URL for this application.",
      error_uri:
        "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#redirect-uri-mismatch",
      state: "s",
    })
  })
  it("shows a page for that when the registered callback has no port", async () => {
    await start()
    const response = await ask({ redirect_uri: "https://evil.example/<b>" })
    assert.equal(response.status, 400)
    const text = await response.text()
    assert.match(text, /redirect_uri_mismatch/)
    assert.match(text, /https:\/\/evil\.example\/&lt;b&gt;/)
    assert.doesNotMatch(text, /(href|action|url)=.?https:\/\/evil/)
  })
  for (const [what, more, error] of [
    ["an unknown scope", { scope: "read:org everything" }, "invalid_scope"],
    ["the plain method of PKCE", { code_challenge: CHALLENGE, code_challenge_method: "plain" }, "invalid_request"],
    ["a challenge without a method", { code_challenge: CHALLENGE }, "invalid_request"],
    ["a method without a challenge", { code_challenge_method: "S256" }, "invalid_request"],
    ["a short challenge", { code_challenge: "short", code_challenge_method: "S256" }, "invalid_request"],
  ] as const) {
    it(`refuses ${what} with ${error}`, async () => {
      await start()
      const { searchParams } = location(await ask(more))
      assert.deepEqual([searchParams.get("error"), searchParams.get("state")], [error, "s"])
    })
  }

  it("an answer that belongs to no page of ours, or to one of too long ago, is refused", async () => {
    await start()
    const request = await requestOf(await ask())
    for (const form of [{ login: "alice" }, { request: "0".repeat(32), login: "alice" }] as Record<string, string>[]) {
      const response = await send(form)
      assert.deepEqual([response.status, response.headers.get("location")], [400, null])
    }
    signIn.later(10 * 60_000)
    assert.equal((await send({ request, login: "alice" })).status, 400)
  })
  it("a name that GitHub would not have is refused at the field, and the page still works", async () => {
    await start()
    const request = await requestOf(await ask())
    for (const form of [{ login: '"><script>alert(1)</script>' }, { login: "dora", organizations: "acme a_b" }]) {
      const response = await send({ request, ...form })
      assert.equal(response.status, 422)
      const text = await response.text()
      assert.doesNotMatch(text, /<script/)
      assert.match(text, /cannot be a name at GitHub/)
    }
    assert.equal((await send({ request, login: "dora", organizations: "" })).status, 302)
  })

  it("escapes whatever comes from outside", async () => {
    await start()
    const nasty = `'"><img src=x onerror=alert(1)>`
    const response = await ask({ login: nasty, state: nasty, redirect_uri: `http://localhost:9/${nasty}` })
    const text = await response.text()
    assert.equal(response.status, 200)
    assert.doesNotMatch(text, /<img src=x/)
    assert.match(text, /value="&#39;&quot;&gt;&lt;img src=x onerror=alert\(1\)&gt;"/)
  })
  it("carries no line break into a header", async () => {
    await start()
    const more = { state: "a\r\nset-cookie: x=1", redirect_uri: "http://localhost:9/back?a=\r\nset-cookie: x=1" }
    const response = await send({ request: await requestOf(await ask(more)), login: "alice" })
    assert.equal(response.status, 302)
    assert.equal(response.headers.get("set-cookie"), null)
    assert.equal(location(response).searchParams.get("state"), more.state)
  })
  it("can be framed by nobody, runs no script, and sends forms to this machine only", async () => {
    await start()
    const policy = (await ask()).headers.get("content-security-policy") ?? ""
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
      assert.ok(policy.split("; ").includes(part), part)
    }
    assert.doesNotMatch(policy, /script-src|unsafe/)
    const targets = /form-action ([^;]+)/.exec(policy)?.[1]?.split(" ") ?? []
    assert.ok(targets.every(target => /^('self'|https?:\/\/(127\.0\.0\.1|(\*\.)?localhost):\*)$/.test(target)))
  })
  it("says that it is no GitHub and wants no password", async () => {
    await start()
    const text = await (await ask()).text()
    assert.match(text, /not GitHub but a stand-in/)
    assert.match(text, /no password/)
    assert.doesNotMatch(text, /type="password"/)
  })

  it("puts the one first that the app names", async () => {
    await start()
    assert.match(
      await (await ask({ login: "BOB" })).text(),
      /class="person suggested" name="login" value="bob" autofocus/,
    )
    assert.match(await (await ask({ login: "dora" })).text(), /value="dora" autofocus/)
  })
  it("lists who came before", async () => {
    await start()
    const page = await visitor.get(address())
    await answerPage(visitor, page, { login: "dora", organizations: "acme" }).catch(() => {})
    assert.match((await visitor.get(address())).text, /value="dora">/)
  })
  it("answers by names of this machine only", async () => {
    await start()
    const status = (host: string) =>
      new Promise(resolve => {
        const headers = { host }
        httpRequest(`${signIn.url}/`, { headers }, response => resolve(response.resume().statusCode)).end()
      })
    assert.equal(await status("evil.example"), 421)
    assert.equal(await status("127.0.0.1.evil.example:8446"), 421)
    assert.equal(await status("localhost:8446"), 200)
  })
  it("logs who, and neither code nor secret", async () => {
    await start()
    const to = location(await send({ request: await requestOf(await ask()), login: "alice" }))
    assert.match(signIn.logged(), /"login":"alice"/)
    for (const secret of [to.searchParams.get("code") ?? "?", signIn.clientSecret]) {
      assert.ok(!signIn.logged().includes(secret))
    }
  })
})
