import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("service: workspaces by the API", () => {
  let test: TestService
  let ada: Visitor
  let token: string

  before(async () => {
    test = await startTestService()
    ada = await test.signIn("ada")
    token = await test.token(ada)
  })
  after(() => test?.close())

  let id: string
  it("creates one: asked for, made by the engine, reported ready, running", async () => {
    const asked = await test.api(token, "POST", "/workspaces", { name: "My desk", sizeClass: "small", region: "fsn1" })
    assert.equal(asked.status, 202, JSON.stringify(asked.body))
    assert.equal(asked.headers.get("location"), `/api/v1/operations/${asked.body.operation.id}`)
    assert.equal(asked.body.workspace.state, "PROVISIONING")
    id = asked.body.workspace.id
    const operation = await test.finished(token, asked.body.operation.id)
    assert.equal(operation.state, "succeeded", JSON.stringify(operation))
    const { body } = await test.api(token, "GET", `/workspaces/${id}`)
    assert.equal(body.state, "RUNNING")
    assert.equal(body.name, "My desk")
    assert.equal(body.price.currency, "EUR")
    assert.equal(test.cloud.ledger().alive.length, 1)
  })

  it("lists it", async () => {
    const { body } = await test.api(token, "GET", "/workspaces")
    assert.deepEqual(
      body.workspaces.map((one: { id: string }) => one.id),
      [id],
    )
  })

  it("stops and starts it", async () => {
    const stop = await test.api(token, "POST", `/workspaces/${id}/stop`)
    assert.equal(stop.status, 202)
    assert.equal((await test.finished(token, stop.body.operation.id)).state, "succeeded")
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.state, "STOPPED")
    const start = await test.api(token, "POST", `/workspaces/${id}/start`)
    assert.equal((await test.finished(token, start.body.operation.id)).state, "succeeded")
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.state, "RUNNING")
  })

  it("refuses what makes no sense in its state", async () => {
    const { status, body } = await test.api(token, "POST", `/workspaces/${id}/start`)
    assert.equal(status, 409)
    assert.equal(body.id, "illegal-transition")
  })

  it("is nobody else's", async () => {
    const other = await test.token(await test.signIn("eve"))
    for (const [method, path] of [
      ["GET", `/workspaces/${id}`],
      ["POST", `/workspaces/${id}/stop`],
      ["DELETE", `/workspaces/${id}`],
      ["POST", `/workspaces/${id}/close-viewers`],
    ] as const) {
      assert.equal((await test.api(other, method, path)).status, 404, path)
    }
    assert.deepEqual((await test.api(other, "GET", "/workspaces")).body.workspaces, [])
  })

  it("deletes it and leaves nothing at the provider", async () => {
    const gone = await test.api(token, "DELETE", `/workspaces/${id}`)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    assert.deepEqual(test.cloud.ledger().alive, [])
    assert.deepEqual((await test.api(token, "GET", "/workspaces")).body.workspaces, [])
    assert.deepEqual((await test.cloud.api<{ firewalls: unknown[] }>("GET", "/firewalls")).firewalls, [])
  })

  it("tells the events of an operation to late readers", async () => {
    const { body } = await test.api(token, "POST", "/workspaces", {})
    await test.finished(token, body.operation.id)
    const answer = await fetch(`${test.url}/api/v1/operations/${body.operation.id}/events`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const text = await answer.text()
    for (const step of ["check", "resources", "boot", "desktop"]) assert.match(text, new RegExp(`"step":"${step}"`))
    assert.match(text, /"state":"succeeded"/)
    const place = [...text.matchAll(/^id: (.*)$/gm)].at(-2)?.[1] as string
    const rest = await fetch(`${test.url}/api/v1/operations/${body.operation.id}/events`, {
      headers: { authorization: `Bearer ${token}`, "last-event-id": place },
    })
    assert.equal([...(await rest.text()).matchAll(/^id: /gm)].length, 1)
  })

  it("goes on when a reader of events goes in the middle", async () => {
    test.machines.setReady(false)
    const { body } = await test.api(token, "POST", "/workspaces", { profile: "desktop" })
    const reader = new AbortController()
    const answer = await fetch(`${test.url}/api/v1/operations/${body.operation.id}/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: reader.signal,
    })
    await answer.body?.getReader().read()
    reader.abort()
    test.machines.setReady(true)
    assert.equal((await test.finished(token, body.operation.id)).state, "succeeded")
  })

  it("survives a crash of Redis with everything that was answered", async () => {
    const before = (await test.api(token, "GET", "/workspaces")).body
    await test.redis.crash()
    await waitUntil("the service is back", async () => (await test.api(token, "GET", "/workspaces")).status === 200)
    assert.deepEqual((await test.api(token, "GET", "/workspaces")).body, before)
  })

  it("shows machines by the provider's labels when the store is lost", async () => {
    const before = (await test.api(token, "GET", "/workspaces")).body.workspaces[0]
    const { redis } = test.service.services
    const keys = await redis.keys("fz:ws*")
    const ofUser = await redis.keys("fz:user:*:ws")
    await redis.del(...keys, ...ofUser)
    const { body } = await test.api(token, "GET", "/workspaces")
    assert.equal(body.workspaces.length, 2)
    const found = body.workspaces.find((one: { id: string }) => one.id === before.id)
    assert.deepEqual([found.state, found.recorded], ["RUNNING", false])
  })
})
