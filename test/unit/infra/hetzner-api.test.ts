import assert from "node:assert/strict"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { z } from "zod"
import { createHetznerApi, type HetznerApi } from "../../../infra/machines/hetzner-api.ts"
import { Secret } from "../../../infra/secret.ts"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const json =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body))
const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(status, { error: { code, message: code } }, headers)
const ok = json(200, { value: 1 })
const Value = z.object({ value: z.number() })

describe("hetzner-api/request", () => {
  let server: Server
  let answers: Answer[]
  let seen: string[]
  let api: HetznerApi

  /** Answers in the order given; the last one again and again. */
  const answering = (...given: Answer[]) => {
    answers = given
    seen = []
  }
  beforeEach(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      answer?.(request, response)
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    api = createHetznerApi({ endpoint, token: new Secret("s3cret"), patienceMs: 60_000 })
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  it("sends the token and parses the answer", async () => {
    answering(ok)
    assert.deepEqual(await api.request("GET", "/x", Value), { value: 1 })
    assert.deepEqual(seen, ["GET /v1/x Bearer s3cret"])
  })
  it("remembers the request budget", async () => {
    answering(
      json(
        200,
        { value: 1 },
        { "RateLimit-Limit": "3600", "RateLimit-Remaining": "3599", "RateLimit-Reset": "1700000000" },
      ),
    )
    await api.request("GET", "/x", Value)
    assert.deepEqual(api.budget(), { limit: 3_600, remaining: 3_599, resetAt: new Date(1_700_000_000_000) })
  })
  it("waits as long as Retry-After says, and repeats even what changes things", async () => {
    answering(refusal(429, "rate_limit_exceeded", { "Retry-After": "1" }), ok)
    const began = performance.now()
    await api.request("POST", "/x", Value, { body: {} })
    assert.ok(performance.now() - began >= 1_000)
    assert.equal(seen.length, 2)
  })
  it("gives up on a limit that outlasts its patience", async () => {
    answering(refusal(429, "rate_limit_exceeded", { "Retry-After": "3600" }))
    await assert.rejects(api.request("GET", "/x", Value), { id: "provider-rate-limited", next: "retry" })
    assert.equal(seen.length, 1)
  })
  it("repeats a look after a failure of the server", async () => {
    answering(refusal(503, "unavailable"), ok)
    assert.deepEqual(await api.request("GET", "/x", Value), { value: 1 })
  })
  it("never repeats a change whose answer was lost", async () => {
    answering(request => request.socket.destroy())
    await assert.rejects(api.request("POST", "/x", Value, { body: {} }), { id: "provider-unreachable" })
    assert.equal(seen.length, 1)
  })
  it("never repeats a change after a failure of the server", async () => {
    answering(refusal(500, "server_error"))
    await assert.rejects(api.request("POST", "/x", Value, { body: {} }), { id: "provider-failed" })
    assert.equal(seen.length, 1)
  })
  for (const [status, code, id] of [
    [401, "unauthorized", "provider-unauthorized"],
    [404, "not_found", "provider-not-found"],
    [423, "locked", "provider-busy"],
    [403, "protected", "protected"],
    [409, "uniqueness_error", "name-taken"],
    [422, "resource_unavailable", "provider-no-capacity"],
    [403, "resource_limit_exceeded", "provider-limit"],
    [422, "something_new", "provider-refused"],
  ] as const) {
    it(`calls ${code} ${id}, and hides the token`, async () => {
      answering(refusal(status, code))
      await assert.rejects(api.request("PUT", "/x", Value), (error: Error & { id: string; detail?: string }) => {
        assert.equal(error.id, id)
        assert.doesNotMatch(`${error.message} ${error.detail}`, /s3cret/)
        return true
      })
    })
  }
  it("ends at once when aborted", async () => {
    answering(() => {})
    const abort = new AbortController()
    const asked = api.request("GET", "/x", Value, { signal: abort.signal })
    setImmediate(() => abort.abort())
    await assert.rejects(asked, { name: "AbortError" })
  })
  it("reads a list to its last page", async () => {
    const page = (values: number[], next: number | null) =>
      json(200, { items: values, meta: { pagination: { next_page: next } } })
    answering(page([1, 2], 2), page([3], null))
    assert.deepEqual(await api.list("/items?a=b", "items", z.number()), [1, 2, 3])
    assert.match(seen[1] ?? "", /\/items\?a=b&page=2&per_page=50/)
  })
  it("waits for an action, and says why one failed", async () => {
    const action = (status: string, error: object | null = null) =>
      json(200, { action: { id: 7, command: "start_server", status, error } })
    answering(action("running"), action("success"))
    await api.waitForAction({ id: 7, command: "start_server", status: "running" })
    answering(action("error", { code: "boom", message: "it went boom" }))
    await assert.rejects(
      api.waitForAction({ id: 7, command: "start_server", status: "running" }),
      /start_server.*it went boom \(boom\)/,
    )
  })
})
