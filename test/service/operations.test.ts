import assert from "node:assert/strict"
import { type EventReader, readEvents, statesOf, stepsOf } from "../support/event-reader.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("service: operations", () => {
  let test: TestService
  let token: string
  let readers: EventReader[]

  before(async () => {
    test = await startTestService()
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())
  beforeEach(() => {
    readers = []
    test.machines.setReady(true)
  })
  afterEach(async () => {
    for (const reader of readers) reader.close()
    test.machines.setReady(true)
    await test.cloud.clearFaults()
    const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
    await Promise.all(
      workspaces.map(async ({ id }: { id: string }) =>
        test.finished(token, await begin("DELETE", `/workspaces/${id}`)),
      ),
    )
    assert.deepEqual(test.cloud.ledger().alive, [], "nothing is left at the provider")
  })

  async function begin(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await test.api(token, method, path, body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return answer.body.operation.id
  }
  const create = () => begin("POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
  const workspaceOf = async (operation: string) =>
    (await test.api(token, "GET", `/operations/${operation}`)).body.workspace as string
  const stateOf = async (workspace: string) => (await test.api(token, "GET", `/workspaces/${workspace}`)).body.state
  async function follow(operation: string, after?: string): Promise<EventReader> {
    const reader = await readEvents(test.url, { token, operation, ...(after === undefined ? {} : { after }) })
    readers.push(reader)
    return reader
  }
  const waitForStep = (reader: EventReader, step: string) =>
    waitUntil(`the step ${step}`, () => stepsOf(reader.events).includes(`${step} begun`))
  const ended = (reader: EventReader) =>
    Promise.race([reader.ended.then(() => true), new Promise(resolve => setTimeout(resolve, 300_000, false).unref())])

  it("tells its steps in order to whoever listens from the beginning, and ends the stream with the operation", async () => {
    const reader = await follow(await create())
    assert.equal(await ended(reader), true)
    const steps = ["check", "resources", "boot", "desktop"]
    assert.deepEqual(
      stepsOf(reader.events),
      steps.flatMap(step => [`${step} begun`, `${step} done`]),
    )
    assert.deepEqual(statesOf(reader.events), ["running", "succeeded"])
  })

  it("tells the same to whoever comes in the middle, and to whoever comes back the rest alone", async () => {
    test.machines.setReady(false)
    const operation = await create()
    const early = await follow(operation)
    await waitForStep(early, "desktop")
    const late = await follow(operation)
    await waitForStep(late, "desktop")
    late.close()
    const last = late.events.at(-1)?.id as string
    const back = await follow(operation, last)
    test.machines.setReady(true)
    for (const reader of [early, back]) assert.equal(await ended(reader), true)
    const ids = (reader: EventReader) => reader.events.map(one => one.id)
    assert.deepEqual([...ids(late), ...ids(back)], ids(early), "each event once, none lost")
    assert.deepEqual(stepsOf(back.events), ["desktop done"])
  })

  it("refuses a place that is none, and strangers' operations", async () => {
    const operation = await create()
    const answer = await test.api(token, "GET", `/operations/${operation}/events`, undefined, {
      "last-event-id": "0; x",
    })
    assert.equal(answer.status, 422)
    const eve = await test.token(await test.signIn("eve"))
    for (const path of ["", "/events"]) {
      assert.equal((await test.api(eve, "GET", `/operations/${operation}${path}`)).status, 404)
    }
    for (const path of ["cancel", "retry"]) {
      assert.equal((await test.api(eve, "POST", `/operations/${operation}/${path}`)).status, 404)
    }
    assert.equal((await test.finished(token, operation)).state, "succeeded")
  })

  it("is cancelled while it waits for the machine, says so, and can be done again", async () => {
    test.machines.setReady(false)
    const operation = await create()
    const reader = await follow(operation)
    await waitForStep(reader, "desktop")
    assert.equal((await test.api(token, "POST", `/operations/${operation}/cancel`)).status, 202)
    const over = await test.finished(token, operation)
    assert.equal(over.state, "cancelled")
    assert.equal(over.failure?.id, "cancelled")
    assert.equal(await ended(reader), true)
    assert.deepEqual(statesOf(reader.events), ["running", "cancelled"])
    assert.equal(stepsOf(reader.events).at(-1), "desktop failed")
    const workspace = await workspaceOf(operation)
    assert.equal(await stateOf(workspace), "FAILED")
    const refused = await test.api(token, "POST", `/operations/${operation}/cancel`)
    assert.deepEqual([refused.status, refused.body.id], [409, "operation-over"])

    test.machines.setReady(true)
    const again = await begin("POST", `/operations/${operation}/retry`)
    assert.notEqual(again, operation)
    assert.equal((await test.finished(token, again)).state, "succeeded")
    assert.equal(await stateOf(workspace), "RUNNING")
    assert.equal(test.cloud.ledger().alive.length, 1, "the machine that was there is the one that runs")
  })

  it("fails with a clear error when the provider refuses, and succeeds when tried again", async () => {
    const fault = { kind: "status", status: 422, code: "invalid_input", message: "secret of the inside" } as const
    await test.cloud.addFault({ match: { method: "POST", path: "/servers$" }, fault })
    const operation = await create()
    const over = await test.finished(token, operation)
    assert.equal(over.state, "failed")
    assert.match(over.failure?.id ?? "", /^[a-z]+(-[a-z]+)*$/)
    assert.match(over.failure?.message ?? "", /^[A-Z].+\.$/)
    assert.ok(["retry", "fail", "investigate"].includes(over.failure?.next ?? ""))
    assert.doesNotMatch(JSON.stringify(over), /inside|pulumi|hcloud|stack/i)
    const workspace = await workspaceOf(operation)
    assert.equal(await stateOf(workspace), "FAILED")
    await test.cloud.clearFaults()
    const again = await begin("POST", `/operations/${operation}/retry`)
    assert.equal((await test.finished(token, again)).state, "succeeded")
    assert.equal(await stateOf(workspace), "RUNNING")
    const nothing = await test.api(token, "POST", `/operations/${again}/retry`)
    assert.deepEqual([nothing.status, nothing.body.id], [409, "not-failed"])
  })

  it("two wishes of one kind are one operation, two of different kinds do not mix", async () => {
    test.machines.setReady(false)
    const operation = await create()
    const workspace = await workspaceOf(operation)
    for (const kind of ["stop", "start"]) {
      const refused = await test.api(token, "POST", `/workspaces/${workspace}/${kind}`)
      assert.deepEqual([refused.status, refused.body.id], [409, "illegal-transition"])
    }
    test.machines.setReady(true)
    await test.finished(token, operation)
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => test.api(token, "POST", `/workspaces/${workspace}/stop`)),
    )
    // One that came when it had stopped already was too late to mean the same.
    const stops = new Set(answers.filter(one => one.status === 202).map(one => one.body.operation.id))
    assert.equal(stops.size, 1)
    await test.finished(token, [...stops][0])
    const { operations } = (await test.api(token, "GET", `/operations?workspace=${workspace}`)).body
    assert.deepEqual(
      operations.map((one: { kind: string; state: string }) => `${one.kind} ${one.state}`),
      ["stop succeeded", "create succeeded"],
    )
  })

  it("a deletion overtakes what goes on, whose readers are told that it is cancelled", async () => {
    test.machines.setReady(false)
    const operation = await create()
    const reader = await follow(operation)
    await waitForStep(reader, "desktop")
    const workspace = await workspaceOf(operation)
    const deletion = await begin("DELETE", `/workspaces/${workspace}`)
    assert.equal(await ended(reader), true, "the stream of what was overtaken ends")
    assert.equal(statesOf(reader.events).at(-1), "cancelled")
    assert.equal((await test.finished(token, deletion)).state, "succeeded")
    assert.equal((await test.api(token, "GET", `/operations/${operation}`)).body.state, "cancelled")
    assert.equal(await stateOf(workspace), "TERMINATED")
    const late = await follow(operation)
    assert.equal(await ended(late), true)
    assert.equal(statesOf(late.events).at(-1), "cancelled", "whoever comes later is told too")
  })

  it("a deletion cannot be cancelled, and asked for twice is one", async () => {
    test.machines.setReady(false)
    const workspace = await workspaceOf(await create())
    const answers = await Promise.all([1, 2, 3].map(() => test.api(token, "DELETE", `/workspaces/${workspace}`)))
    const deletions = new Set(answers.filter(one => one.status === 202).map(one => one.body.operation.id))
    assert.equal(deletions.size, 1)
    const [deletion] = [...deletions]
    const refused = await test.api(token, "POST", `/operations/${deletion}/cancel`)
    assert.equal(refused.status, 409)
    assert.match(refused.body.id, /^(not-cancellable|operation-over)$/)
    await test.finished(token, deletion)
  })
})

describe("service: what cannot be had", () => {
  let test: TestService
  let token: string

  before(async () => {
    test = await startTestService({ FOOZOL_READY_SECONDS: "20", FOOZOL_REGIONS: "fsn1,nbg1" })
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())

  it("sold out: says where else there is some and what else there is here, and makes nothing", async () => {
    const { soldOut } = test.cloud.cloud.context
    const { sizes } = (await test.api(token, "GET", "/sizes")).body
    const small = sizes.find((one: { class: string }) => one.class === "small").type
    soldOut.add(`${small}@fsn1`)
    // Prices and availability are known for a minute; a service that has just started looks anew.
    await test.restart()
    const wish = { sizeClass: "small", region: "fsn1" }
    const { status, body } = await test.api(token, "POST", "/workspaces", wish)
    assert.deepEqual([status, body.id, body.next], [409, "sold-out", "retry"])
    assert.match(
      body.detail,
      /^Size small is sold out in fsn1 at the moment: the regions nbg1 have it; fsn1 has medium, large\.$/,
    )
    assert.deepEqual((await test.api(token, "GET", "/workspaces")).body.workspaces, [])
    assert.deepEqual(test.cloud.ledger().created, [])
    soldOut.clear()
  })

  it("an operation fails naming what is missing when the desktop does not come up in time", async () => {
    await test.restart()
    test.machines.setReady(false)
    const { body } = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "nbg1" })
    const over = await test.finished(token, body.operation.id)
    assert.deepEqual([over.state, over.failure?.id, over.failure?.next], ["failed", "machine-not-ready", "retry"])
    assert.match(over.failure?.message ?? "", /within 20 seconds \(missing: picture\)/)
    assert.equal((await test.api(token, "GET", `/workspaces/${body.workspace.id}`)).body.state, "FAILED")
  })

  it("a machine that hangs while it boots is reset once, and its owner told when that does not help", async () => {
    test.machines.setReady(true)
    test.machines.setHanging(true)
    const create = async () => {
      const { body } = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "nbg1" })
      return body as { operation: { id: string } }
    }
    const first = await create()
    const failed = await test.finished(token, first.operation.id)
    const { hanging } = test.machines
    assert.deepEqual([failed.failure?.id, failed.failure?.next], ["machine-silent", "retry"])
    assert.deepEqual(hanging(), { now: 1, resets: 1 })
    const second = await create()
    await waitUntil("it is on, and hangs", () => hanging().now === 2)
    test.machines.setHanging(false)
    assert.equal((await test.finished(token, second.operation.id)).state, "succeeded")
    assert.deepEqual(hanging(), { now: 1, resets: 2 })
  })
})
