import assert from "node:assert/strict"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("security: changes asked for by another site", () => {
  let test: TestService
  let ada: Visitor
  let csrf: string

  before(async () => {
    test = await startTestService()
    ada = await test.signIn("ada")
    csrf = csrfOf(await ada.get(`${test.url}/account`))
  })
  after(() => test?.close())

  const FORM = "/account/secrets"
  const post = (headers: Record<string, string>, fields: Record<string, string>, path = FORM) =>
    fetch(`${test.url}${path}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: cookieOf(ada), accept: "text/html", ...headers },
      body: new URLSearchParams({ name: "A_KEY", value: "1", ...fields }),
    })
  const secrets = async () => (await test.api(ada, "GET", "/secrets")).body.secrets.length as number
  afterEach(async () => assert.equal(await secrets(), 0, "nothing was changed"))

  const foreign: [string, Record<string, string>][] = [
    ["another site's", { origin: "https://evil.example" }],
    ["one that begins like ours", { origin: "http://127.0.0.1:1" }],
    ["ours with more behind it", { origin: "http://127.0.0.1.evil.example" }],
    ["null, as from a sandboxed frame", { origin: "null" }],
    ["none", {}],
    ["none, and a browser that says cross-site", { "sec-fetch-site": "cross-site" }],
    ["none, and a browser that says same-site", { "sec-fetch-site": "same-site" }],
    [
      "another site's, beside a lie about the site",
      { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
    ],
    ["none, with a Referer of ours", { referer: "http://127.0.0.1/account" }],
  ]
  for (const [name, headers] of foreign) {
    it(`Origin: ${name}: refused on forms and on the API, even with the right token`, async () => {
      const answer = await post(headers, { csrf })
      assert.equal(answer.status, 403)
      assert.match(await answer.text(), /another site/)
      const api = await fetch(`${test.url}/api/v1/secrets/A_KEY`, {
        method: "PUT",
        headers: { cookie: cookieOf(ada), "content-type": "application/json", ...headers },
        body: '{"value":"1"}',
      })
      assert.equal(api.status, 403)
      assert.equal(((await api.json()) as { id: string }).id, "foreign-origin")
    })
  }

  it("our own Origin without the form's token, or with a wrong one, is refused", async () => {
    const own = { origin: test.url }
    for (const fields of [{}, { csrf: "" }, { csrf: `${csrf}x` }, { csrf: csrf.slice(1) }, { csrf: "x".repeat(43) }]) {
      const answer = await post(own, fields)
      assert.equal(answer.status, 403)
      assert.match(await answer.text(), /older login/)
    }
    const twice = await fetch(`${test.url}${FORM}`, {
      method: "POST",
      headers: { cookie: cookieOf(ada), ...own, "content-type": "application/x-www-form-urlencoded" },
      body: `csrf=wrong&csrf=${csrf}&name=A_KEY&value=1`,
    })
    assert.equal(twice.status, 403)
    const json = await fetch(`${test.url}${FORM}`, {
      method: "POST",
      headers: { cookie: cookieOf(ada), ...own, "content-type": "application/json" },
      body: JSON.stringify({ csrf, name: "A_KEY", value: "1" }),
    })
    assert.equal(json.status, 403)
  })

  it("a form of another login is refused: another user's, and the same user's other browser's", async () => {
    const own = { origin: test.url }
    for (const login of ["eve", "ada"]) {
      const other = await test.signIn(login)
      assert.equal((await post(own, { csrf: csrfOf(await other.get(`${test.url}/account`)) })).status, 403)
    }
  })

  it("every form asks for the token", async () => {
    const paths = [
      "/workspaces",
      "/workspaces/x/start",
      "/workspaces/x/stop",
      "/workspaces/x/delete",
      "/operations/x/cancel",
      "/operations/x/retry",
      "/connect",
      "/account/tokens",
      "/account/tokens/x/revoke",
      "/account/secrets",
      "/account/secrets/A_KEY/delete",
      "/workspaces/x/secrets",
      "/workspaces/x/secrets/A_KEY/delete",
      "/sign-out",
      "/sign-out-everywhere",
    ]
    for (const path of paths) {
      const answer = await post({ origin: test.url }, {}, path)
      assert.equal(answer.status, 403, path)
      assert.match(await answer.text(), /older login/, path)
    }
    assert.equal((await test.api(ada, "GET", "/me")).status, 200, "still signed in")
    assert.deepEqual(test.cloud.ledger().created, [])
  })

  it("no address that is only looked at changes anything", async () => {
    const id = "x"
    const paths = ["/sign-out", "/sign-out-everywhere", "/account/tokens", "/workspaces", `/workspaces/${id}/start`]
    for (const path of paths) {
      const answer = await fetch(`${test.url}${path}`, { headers: { cookie: cookieOf(ada) }, redirect: "manual" })
      assert.ok([404, 405].includes(answer.status), `${path}: ${answer.status}`)
    }
    assert.equal((await test.api(ada, "GET", "/me")).status, 200, "still signed in")
  })

  it("the bookmark opened by another site's page makes nothing: it shows a button", async () => {
    for (const headers of [
      {},
      { "sec-fetch-site": "cross-site", "sec-fetch-user": "?1", "sec-fetch-mode": "navigate" },
      { "sec-fetch-site": "same-site", "sec-fetch-user": "?1" },
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "same-origin" },
    ]) {
      const answer = await fetch(`${test.url}/connect`, {
        headers: { cookie: cookieOf(ada), accept: "text/html", ...(headers as Record<string, string>) },
        redirect: "manual",
      })
      assert.equal(answer.status, 200)
      assert.match(await answer.text(), /<form[^>]+action="\/connect"/)
    }
    assert.deepEqual((await test.api(ada, "GET", "/workspaces")).body.workspaces, [])
  })

  it("no page may be framed, and no other site's script or page reads the API", async () => {
    for (const path of ["/", "/account", "/api/v1/me", "/api/v1/openapi.json"]) {
      const headers = { cookie: cookieOf(ada), origin: "https://evil.example" }
      const answer = await fetch(`${test.url}${path}`, { headers })
      assert.equal(answer.headers.get("x-frame-options"), "DENY", path)
      const policy = answer.headers.get("content-security-policy") ?? ""
      assert.match(policy, /frame-ancestors 'none'/)
      assert.match(policy, /script-src 'self'(;|$)/)
      assert.doesNotMatch(policy, /unsafe-/)
      assert.equal(answer.headers.get("access-control-allow-origin"), null)
      assert.equal(answer.headers.get("cross-origin-resource-policy"), "same-origin")
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff")
    }
  })
})

describe("security: what a name or a field may do", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let csrf: string

  before(async () => {
    test = await startTestService()
    ada = await test.signIn("ada")
    token = await test.token(ada)
    csrf = csrfOf(await ada.get(`${test.url}/account`))
    test.machines.setReady(false)
  })
  after(() => test?.close())

  it("a workspace's name cannot break a line, a header or a log", async () => {
    const names = ["a\r\nSet-Cookie: x=y", "a\nb", "a\u0000b", "a\u001bb", "a\u202eb", "a\u2028b", "\ud800", "\u200b"]
    for (const name of names) {
      const { status, body } = await test.api(token, "POST", "/workspaces", { name })
      assert.equal(status, 422, JSON.stringify(name))
      assert.match(body.detail, /name: must be one line of visible characters/)
    }
    assert.deepEqual(test.cloud.ledger().created, [])
  })

  it("a name with markup is text on every page, and goes into no header", async () => {
    const name = `"><img src=x onerror=alert(1)><!--'\``
    const { status, body, headers } = await test.api(token, "POST", "/workspaces", { name })
    assert.equal(status, 202)
    assert.doesNotMatch(JSON.stringify([...headers]), /onerror/)
    const { id } = body.workspace
    const pages = ["/", `/operations/${body.operation.id}`, `/workspaces/${id}/delete`]
    for (const path of pages) {
      const page = await ada.get(`${test.url}${path}`)
      assert.equal(page.status, 200, path)
      assert.ok(page.text.includes("&lt;img src=x onerror="), path)
      assert.ok(!page.text.includes("<img src=x"), path)
      assert.doesNotMatch(JSON.stringify([...page.headers]), /onerror/)
    }
    const wrong = { csrf, confirm: `</p><script>alert(1)</script>` }
    const page = await ada.post(`${test.url}/workspaces/${id}/delete`, wrong, { origin: test.url })
    assert.equal(page.status, 422)
    assert.doesNotMatch(page.text, /<script>alert/)
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.state, "PROVISIONING")
  })

  it("what a form sends back, what an error names and what an address says is text", async () => {
    const evil = "<script>alert(1)</script>"
    const own = { origin: test.url }
    const visits = [
      await ada.post(`${test.url}/workspaces`, { csrf, name: `${evil}\u0001`, region: evil, profile: evil }, own),
      await ada.post(`${test.url}/account/secrets`, { csrf, name: evil, value: "1" }, own),
      await ada.post(`${test.url}/account/tokens`, { csrf, name: "a", scope: evil }, own),
      await ada.get(`${test.url}/${evil}`),
      await ada.get(`${test.url}/?sign-in=${encodeURIComponent(evil)}`),
      await ada.get(`${test.url}/operations/${encodeURIComponent(evil)}`),
    ]
    for (const visit of visits) assert.doesNotMatch(visit.text, /<script>alert/, visit.url)
    const made = await ada.post(`${test.url}/account/tokens`, { csrf, name: evil, scope: "read" }, own)
    assert.equal(made.status, 200)
    assert.doesNotMatch(made.text, /<script>alert/)
    assert.match(made.text, /&lt;script&gt;alert/)
  })

  it("what a machine reports, root or not, is text as well", async () => {
    const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
    const { keys } = test.service.services
    const id = workspaces[0].id as string
    const report = { bootId: "b", ready: false, checks: [{ name: "<b onclick=x>", ok: false, detail: "<script>" }] }
    const answer = await fetch(`${test.url}/machine/report`, {
      method: "POST",
      headers: { authorization: `Bearer fz1.${id}.${keys.mac("workspace-key", id)}` },
      body: JSON.stringify({ ...report, versions: { agent: "<script>alert(1)</script>" } }),
    })
    assert.equal(answer.status, 204)
    for (const path of ["/", `/operations/${workspaces[0].operation}`]) {
      assert.doesNotMatch((await ada.get(`${test.url}${path}`)).text, /<script>alert|<b onclick/)
    }
  })

  it("a proxy's address is one word, so that it is one setting on the machine", async () => {
    for (const proxy of [
      "http://a:b@proxy.example:3128\nAllow 0.0.0.0/0",
      "http://proxy.example/ x",
      "http://a b@proxy.example",
      'http://proxy.example/"',
      "http://proxy.example\\x",
      "http:proxy.example",
      "file:///etc/passwd",
      "//proxy.example",
    ]) {
      const { status } = await test.api(token, "POST", "/workspaces", { proxy })
      assert.equal(status, 422, JSON.stringify(proxy))
    }
  })

  it("all of 64 keys of a form arrive, and one too many is said", async () => {
    await waitUntil("the first is deleted", async () => {
      const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
      if (workspaces.length === 0) return true
      await test.api(token, "DELETE", `/workspaces/${workspaces[0].id}`)
      return false
    })
    const send = (count: number) => {
      const body = new URLSearchParams({ csrf, sizeClass: "small" })
      for (let index = 0; index < count; index++) {
        body.append("secretName", `KEY_${index}`)
        body.append("secretValue", `value ${index}`)
      }
      const headers = { cookie: cookieOf(ada), origin: test.url, accept: "text/html" }
      return fetch(`${test.url}/workspaces`, { method: "POST", redirect: "manual", headers, body })
    }
    assert.equal((await send(65)).status, 422)
    const answer = await send(64)
    assert.equal(answer.status, 303)
    const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
    const { redis } = test.service.services
    assert.equal(await redis.hlen(`fz:ws:${workspaces[0].id}:secrets`), 64)
  })
})
