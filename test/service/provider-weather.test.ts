import assert from "node:assert/strict"
import { readEvents } from "../support/event-reader.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("service: a provider that fails for a while", () => {
  let test: TestService
  let token: string
  before(async () => {
    test = await startTestService({ FOOZOL_PROVIDER_PATIENCE_SECONDS: "60" })
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())
  afterEach(async () => {
    await test.cloud.clearFaults()
    const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
    for (const { id } of workspaces) {
      const gone = await test.api(token, "DELETE", `/workspaces/${id}`)
      await test.finished(token, gone.body.operation.id)
    }
    assert.deepEqual(test.cloud.ledger().alive, [], "nothing is left at the provider")
  })
  const fail = (method: "GET" | "POST" | "DELETE", path: string, times: number) =>
    test.cloud.addFault({ match: { method, path }, times, fault: { kind: "status", status: 503 } })

  it("a creation is made to its end by itself, with one machine", async () => {
    await fail("POST", "^/v1/servers$", 2)
    const desk = await newWorkspace(test, token)
    assert.equal((await desk.machines()).length, 1)
  })
  it("an answer that is lost after the machine was made gives no second one", async () => {
    const made = test.cloud.ledger().created.length
    await test.cloud.addFault({
      match: { method: "POST", path: "^/v1/servers$" },
      times: 1,
      fault: { kind: "drop_after" },
    })
    const desk = await newWorkspace(test, token)
    assert.equal((await desk.machines()).length, 1)
    assert.equal(test.cloud.ledger().created.length, made + 1)
  })
  it("a machine that was made and not started is switched on", async () => {
    await test.cloud.addFault({
      match: { method: "POST", path: "^/v1/servers$" },
      times: 1,
      fault: { kind: "fail_action" },
    })
    const desk = await newWorkspace(test, token)
    const machines = await desk.machines()
    assert.deepEqual(
      machines.map(({ status }) => status),
      ["running"],
    )
  })
  it("a resize does not go back for it", async () => {
    const desk = await newWorkspace(test, token)
    await fail("POST", "/actions/change_type$", 2)
    assert.equal((await desk.does("resize", { sizeClass: "medium" })).state, "succeeded")
    assert.equal((await desk.machines())[0]?.size, "cx33")
  })
  it("a resize whose answer is lost is not asked for twice", async () => {
    const desk = await newWorkspace(test, token)
    await test.cloud.addFault({
      match: { method: "POST", path: "/actions/change_type$" },
      times: 1,
      fault: { kind: "drop_after" },
    })
    assert.equal((await desk.does("resize", { sizeClass: "medium" })).state, "succeeded")
    assert.equal((await desk.machines())[0]?.size, "cx33")
  })
  it("says that it waits, and can be cancelled then", async () => {
    await fail("POST", "^/v1/servers$", 1_000)
    const { body } = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    const operation = body.operation.id as string
    const reader = await readEvents(test.url, { token, operation })
    await waitUntil("it says so", () =>
      reader.events.some(({ type, data }) => type === "log" && /tried again in \d+ s/.test(String(data.text))),
    )
    reader.close()
    assert.equal((await test.api(token, "POST", `/operations/${operation}/cancel`)).status, 202)
    assert.equal((await test.finished(token, operation)).state, "cancelled")
  })
})

describe("service: a provider that fails for longer than it is borne", () => {
  let test: TestService
  before(async () => {
    test = await startTestService({ FOOZOL_PROVIDER_PATIENCE_SECONDS: "2" })
  })
  after(() => test?.close())

  it("the operation fails with what went wrong, and is tried again by its owner", async () => {
    const token = await test.token(await test.signIn("ada"))
    await test.cloud.addFault({
      match: { method: "POST", path: "^/v1/servers$" },
      fault: { kind: "status", status: 503 },
    })
    const { body } = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    const end = await test.finished(token, body.operation.id)
    assert.equal(end.state, "failed")
    assert.equal(end.failure?.id, "provider-failed")
    assert.equal(end.failure?.next, "retry")
    await test.cloud.clearFaults()
    const again = await test.api(token, "POST", `/operations/${body.operation.id}/retry`)
    assert.equal((await test.finished(token, again.body.operation.id)).state, "succeeded")
  })
})
