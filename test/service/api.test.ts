import assert from "node:assert/strict"
import { connect } from "node:net"
import { hashOf } from "../../service/keys.ts"
import { type Answer, startTestService, type TestService } from "../support/service.ts"
import type { Visitor } from "../support/visitor.ts"

describe("service: tokens for scripts", () => {
  let test: TestService
  let ada: Visitor
  let write: string
  let read: string

  before(async () => {
    test = await startTestService()
    ada = await test.signIn("ada")
    write = await test.token(ada)
    read = await test.token(ada, "read")
  })
  after(() => test?.close())

  const id = async (token: string) => {
    const { body } = await test.api(ada, "GET", "/tokens")
    const hashes = await test.service.services.redis.hgetall(
      `fz:user:${(await test.api(ada, "GET", "/me")).body.id}:api`,
    )
    const found = body.tokens.find((one: { id: string }) => hashes[one.id] === hashOf(token))
    return found.id as string
  }

  it("a token that may read reads", async () => {
    for (const path of ["/me", "/workspaces", "/sizes", "/regions", "/secrets", "/tokens"]) {
      assert.equal((await test.api(read, "GET", path)).status, 200, path)
    }
  })

  it("a token that may read changes nothing, and makes no token that may write", async () => {
    const changes = [
      ["POST", "/workspaces", {}],
      ["POST", "/workspaces/calm-otter-4f7k2d/start"],
      ["POST", "/workspaces/calm-otter-4f7k2d/stop"],
      ["DELETE", "/workspaces/calm-otter-4f7k2d"],
      ["POST", "/workspaces/calm-otter-4f7k2d/close-viewers"],
      ["POST", "/operations/1/cancel"],
      ["POST", "/operations/1/retry"],
      ["PUT", "/secrets/A_KEY", { value: "1" }],
      ["DELETE", "/secrets/A_KEY"],
      ["POST", "/tokens", { name: "more", scope: "write" }],
      ["POST", "/tokens", { name: "more", scope: "read" }],
      ["DELETE", `/tokens/${await id(write)}`],
    ] as const
    for (const [method, path, body] of changes) {
      const answer = await test.api(read, method, path, body)
      assert.equal(answer.status, 403, `${method} ${path}`)
      assert.equal(answer.body.id, "read-only-token")
    }
    assert.equal((await test.api(write, "GET", "/tokens")).body.tokens.length, 2)
    assert.deepEqual(test.cloud.ledger().created, [])
  })

  it("a token shows once, and neither it nor a part of it is stored", async () => {
    const { status, body } = await test.api(write, "POST", "/tokens", { name: "once", scope: "read", days: 1 })
    assert.equal(status, 201)
    assert.match(body.token, /^fzt_[\w-]{43}$/)
    assert.equal(Date.parse(body.expiresAt) - Date.parse(body.createdAt), 24 * 3_600_000)
    assert.doesNotMatch(JSON.stringify((await test.api(write, "GET", "/tokens")).body), /fzt_/)
    const { redis } = test.service.services
    for (const key of await redis.keys("fz:*api*")) {
      const stored = JSON.stringify(await redis.hgetall(key))
      assert.ok(!key.includes(body.token.slice(4)) && !stored.includes(body.token.slice(4)), key)
    }
  })

  it("a token ends when its time is over, by our clock and by Redis' own", async () => {
    const { redis } = test.service.services
    const [first, second] = [await test.token(ada, "read"), await test.token(ada, "read")]
    const key = (token: string) => `fz:api:${hashOf(token)}`
    const about = JSON.parse((await redis.hget(key(first), "about")) as string)
    await redis.hset(key(first), "about", JSON.stringify({ ...about, expiresAt: Date.now() - 1 }))
    await redis.pexpireat(key(second), Date.now() - 1)
    for (const token of [first, second]) {
      const { status, body } = await test.api(token, "GET", "/me")
      assert.equal(status, 401)
      assert.equal(body.id, "invalid-token")
    }
  })

  it("a revoked token is refused at once, and only its owner can revoke it", async () => {
    const token = await test.token(ada, "read")
    const name = await id(token)
    const eve = await test.token(await test.signIn("eve"))
    assert.equal((await test.api(eve, "DELETE", `/tokens/${name}`)).status, 404)
    assert.equal((await test.api(token, "GET", "/me")).status, 200)
    assert.equal((await test.api(write, "DELETE", `/tokens/${name}`)).status, 204)
    assert.equal((await test.api(token, "GET", "/me")).status, 401)
    assert.equal((await test.api(write, "DELETE", `/tokens/${name}`)).status, 404)
  })

  it("a token is no login: no page, no form and no way to a desktop opens with it", async () => {
    const headers = { authorization: `Bearer ${write}`, accept: "text/html" }
    for (const path of ["/account", "/workspaces/new", "/connect"]) {
      const answer = await fetch(`${test.url}${path}`, { headers, redirect: "manual" })
      assert.equal(answer.status, 302, path)
      assert.match(answer.headers.get("location") ?? "", /^\/login\/github\?next=/)
    }
    for (const path of ["/workspaces", "/account/tokens", "/account/secrets", "/connect"]) {
      const answer = await fetch(`${test.url}${path}`, { method: "POST", headers, body: new URLSearchParams({}) })
      assert.equal(answer.status, 401, path)
    }
  })

  it("whoever shows a token that is none is refused, even beside a good login", async () => {
    for (const authorization of ["Bearer fzt_nothing", "Bearer x", "Basic YTpi", "Bearer"]) {
      const { status, body } = await test.api(ada, "GET", "/me", undefined, { authorization })
      assert.equal(status, 401, authorization)
      assert.equal(body.id, "invalid-token")
    }
  })
})

describe("service: answers of the API to what is wrong", () => {
  let test: TestService
  let token: string

  before(async () => {
    test = await startTestService()
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())

  /** Every error has the same shape, a stable id, and nothing of the inside. */
  function isProblem({ status, headers, body }: Answer, expected: number, id: string): void {
    assert.equal(status, expected, JSON.stringify(body))
    assert.equal(headers.get("content-type")?.split(";")[0], "application/problem+json")
    assert.equal(headers.get("cache-control"), "no-store")
    assert.deepEqual(Object.keys(body).sort(), ["detail", "id", "next", "requestId", "status", "title", "type"])
    assert.equal(body.status, expected)
    assert.equal(body.id, id)
    assert.equal(body.requestId, headers.get("x-request-id"))
    assert.match(body.requestId, /^[0-9a-f-]{36}$/)
    assert.match(body.detail, /^[A-Z].*\.$/s)
    assert.doesNotMatch(JSON.stringify(body), /node_modules|service\/|\bat .*:\d+:\d+|Error:|redis/i)
  }
  const post = (path: string, body: string, headers = {}) => test.api(token, "POST", path, body, headers)

  it("400: a body that is no JSON", async () => {
    for (const body of ["{", "nothing", '{"a":1', "\u0000"])
      isProblem(await post("/workspaces", body), 400, "invalid-json")
  })

  it("422: a body where none is taken, with the way that is", async () => {
    const { body } = await post("/workspaces/x/stop", '{"mode":"hibernate"}')
    isProblem(await post("/workspaces/x/stop", '{"mode":"hibernate"}'), 422, "invalid-request")
    assert.match(body.detail, /takes no body.*`mode`/)
    // What says nothing is no wish.
    isProblem(await post("/workspaces/x/stop", "{}"), 404, "not-found")
  })

  it("401: nobody, on every route that is somebody's", async () => {
    for (const path of ["/me", "/workspaces", "/workspaces/x", "/operations/x", "/operations/x/events", "/tokens"]) {
      const answer = await fetch(`${test.url}/api/v1${path}`)
      isProblem({ status: answer.status, headers: answer.headers, body: await answer.json() }, 401, "signed-out")
    }
  })

  it("404: what is not there, and addresses that are none", async () => {
    isProblem(await test.api(token, "GET", "/workspaces/nobody-has-this"), 404, "not-found")
    isProblem(await test.api(token, "GET", "/operations/nothing"), 404, "not-found")
    isProblem(await test.api(token, "DELETE", "/secrets/NOT_THERE"), 404, "not-found")
    isProblem(await test.api(token, "GET", "/nothing/here"), 404, "not-found")
    isProblem(await test.api(token, "GET", "/workspaces/%zz"), 404, "not-found")
    isProblem(await test.api(token, "GET", "/workspaces/..%2f..%2fme"), 404, "not-found")
  })

  it("405: a method that an address does not take, naming those that it does", async () => {
    const answer = await test.api(token, "PUT", "/workspaces")
    isProblem(answer, 405, "method-not-allowed")
    const allowed = (answer.headers.get("allow") ?? "").split(", ").sort()
    assert.deepEqual(allowed, ["GET", "HEAD", "OPTIONS", "POST"])
    const asked = await test.api(token, "OPTIONS", "/me")
    assert.equal(asked.status, 204)
    assert.match(asked.headers.get("allow") ?? "", /GET/)
    assert.equal(asked.headers.get("access-control-allow-origin"), null)
  })

  it("413: a body that is too large", async () => {
    const value = "v".repeat(1_100_000)
    isProblem(await test.api(token, "PUT", "/secrets/A_KEY", { value }), 413, "too-long")
  })

  it("415: a body of another kind", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" }
    isProblem(await post("/workspaces", "name=a", headers), 415, "not-json")
    isProblem(await post("/workspaces", "{}", { "content-type": "text/plain" }), 415, "not-json")
  })

  it("422: what is not valid, naming every field", async () => {
    const answer = await test.api(token, "POST", "/workspaces", { profile: "gaming", sizeClass: "huge", more: 1 })
    isProblem(answer, 422, "invalid-request")
    for (const field of ["profile", "sizeClass", "more"]) assert.match(answer.body.detail, new RegExp(field))
    isProblem(await test.api(token, "POST", "/workspaces", { region: "nowhere" }), 422, "unknown-region")
    isProblem(
      await test.api(token, "POST", "/workspaces", {}, { "idempotency-key": "k".repeat(201) }),
      422,
      "invalid-request",
    )
    isProblem(await test.api(token, "PUT", "/secrets/LD_PRELOAD", { value: "1" }), 422, "invalid-request")
  })

  it("429: what is asked for too often, saying when to come back", async () => {
    await test.forgetLimits()
    const answers = await Promise.all(
      Array.from({ length: 35 }, () => test.api(token, "POST", "/tokens", { name: "many", scope: "read" })),
    )
    assert.equal(answers.filter(one => one.status === 201).length, 30, "30 a minute")
    const refused = answers.filter(one => one.status === 429)
    assert.equal(refused.length, 5)
    for (const one of refused) {
      isProblem(one, 429, "too-often")
      assert.match(one.headers.get("retry-after") ?? "", /^([1-9]|[1-5]\d|60)$/)
    }
  })

  it("429: sign-ins from one address", async () => {
    await test.forgetLimits()
    const statuses: number[] = []
    for (let count = 0; count < 31; count++) {
      statuses.push((await fetch(`${test.url}/login/github`, { redirect: "manual" })).status)
    }
    assert.equal(statuses.at(0), 302)
    assert.equal(statuses.at(-1), 429)
  })

  it("errors of machines are of the same shape", async () => {
    const answer = await fetch(`${test.url}/machine/report`, { method: "POST", body: "{}" })
    isProblem({ status: answer.status, headers: answer.headers, body: await answer.json() }, 401, "not-a-machine")
  })

  it("a request id of the asker's is not taken over, and every answer has its own", async () => {
    const ids = await Promise.all(
      [1, 2].map(async () =>
        (await test.api(token, "GET", "/me", undefined, { "x-request-id": "mine" })).headers.get("x-request-id"),
      ),
    )
    assert.notEqual(ids[0], ids[1])
    assert.ok(!ids.includes("mine"))
    for (const one of ids) assert.ok(test.logged().includes(one as string), "the log has it")
  })

  it("the description is a page too, for people", async () => {
    const page = await fetch(`${test.url}/api/v1/docs`)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /<h1>.*POST.*\/workspaces/s)
  })

  it("a request that is no HTTP is answered without a word of the inside", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(test.url)
      let text = ""
      const socket = connect(Number(port), hostname, () => socket.write("GET /\r\nbad header\u0001\r\n\r\n"))
      socket.on("data", chunk => (text += chunk))
      socket.on("close", () => resolve(text))
      socket.on("error", reject)
    })
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.doesNotMatch(answer, /Error|node|at /)
  })
})

describe("service: behind a proxy", () => {
  let test: TestService
  before(async () => {
    test = await startTestService({ FOOZOL_TRUST_PROXY: "true" })
  })
  after(() => test?.close())

  it("counts by the address the proxy saw, whatever the asker wrote before it", async () => {
    const statuses: number[] = []
    for (let count = 0; count < 32; count++) {
      const headers = { "x-forwarded-for": `203.0.113.${count}, 198.51.100.7` }
      statuses.push((await fetch(`${test.url}/login/github`, { redirect: "manual", headers })).status)
    }
    assert.equal(statuses.filter(status => status === 302).length, 30)
    const other = { "x-forwarded-for": "203.0.113.1, 198.51.100.8" }
    assert.equal((await fetch(`${test.url}/login/github`, { redirect: "manual", headers: other })).status, 302)
  })
})
