import assert from "node:assert/strict"
import { rebuildRecords } from "../../service/sweeps/rebuild.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { byHand, type Hand } from "../support/by-hand.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { testEngineConfig } from "../support/workspace.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const HOUR = 3600_000
const RULE = "firewall.rules.in-tcp-22-0.0.0.0-0-0"

describe("service: what operators see of changes by hand", () => {
  let test: TestService
  let ahead = 0
  let root: string
  let ada: string
  let desk: WorkspaceLife
  let hand: Hand

  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "Root" }, { ahead: () => ahead })
    root = await test.token(await test.signIn("root"), "operate")
    ada = await test.token(await test.signIn("ada"))
    desk = await newWorkspace(test, ada)
    hand = byHand(test.cloud, desk.id)
  })
  after(() => test?.close())

  const path = (what: string) => `/workspaces/${desk.id}/${what}`
  const look = async () => {
    const { status, body } = await test.api(root, "POST", path("drift"))
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const ids = (drift: { differences: { id: string }[] }) => drift.differences.map(one => one.id)
  const ends = async (method: string, what: string, body?: unknown) => {
    const answer = await test.api(root, method, path(what), body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    const { operation, drift } = answer.body
    const record = await waitUntil("the operation is over", async () => {
      const found = await test.service.services.store.operation(operation.id)
      return found?.finishedAt ? found : null
    })
    return { record, drift }
  }

  it("nobody but operators is answered", async () => {
    for (const [method, what] of [
      ["GET", "/drift"],
      ["GET", path("drift")],
      ["POST", path("drift")],
      ["POST", path("repair")],
      ["POST", path("drift/accept")],
      ["DELETE", path(`drift/accept/${RULE}`)],
    ] as const)
      assert.equal((await test.api(ada, method, what, method === "POST" ? {} : undefined)).status, 403, what)
    assert.equal((await test.api(root, "GET", path("drift"))).status, 404)
    assert.equal((await test.api(root, "POST", "/workspaces/none/drift")).status, 404)
  })

  it("looks at anybody's workspace, says it in words, and repairs it without anybody noticing", async () => {
    assert.deepEqual(ids(await look()), [])
    await hand.addRule("22")
    await hand.point("A", "203.0.113.7")
    const { differences, owner } = await look()
    assert.equal(owner, (await test.service.services.store.get(desk.id))?.owner)
    assert.match(
      differences[0].words,
      /^A firewall rule was added by hand: TCP 22 from 0\.0\.0\.0\/0, ::\/0 \(ssh\)\.$/,
    )
    assert.deepEqual([differences[0].mends, differences[0].acceptable], ["repair", true])
    const { workspaces } = (await test.api(root, "GET", "/drift")).body
    assert.deepEqual(
      workspaces.map((one: { workspace: string }) => one.workspace),
      [desk.id],
    )
    const { lookedAt, ...counts } = await test.service.services.drift.counts()
    assert.ok(lookedAt)
    assert.deepEqual(counts, { drifted: 1, failed: 0 })
    const page = await (await test.signIn("root")).get(`${test.url}/operator`)
    assert.match(page.text, /id="drift"[\s\S]*A firewall rule was added by hand: TCP 22 from/)

    const before = await hand.machine()
    const { record } = await ends("POST", "repair")
    assert.deepEqual([record.state, record.kind], ["succeeded", "repair"])
    // The operation itself has looked again.
    assert.deepEqual(ids((await test.api(root, "GET", path("drift"))).body), [])
    assert.deepEqual((await test.api(root, "GET", "/drift")).body.workspaces, [])
    assert.equal((await hand.machine()).id, before.id)
    assert.equal((await desk.shown()).state, "RUNNING")
    const [shown] = (await test.api(ada, "GET", `/operations?workspace=${desk.id}`)).body.operations
    assert.deepEqual([shown.kind, shown.requestedBy], ["repair", "operator"])
  })

  it("switches a machine on that shall be on, and one off that shall be off", async () => {
    await hand.powerOff()
    assert.deepEqual(ids(await look()), ["machine.power"])
    assert.equal((await ends("POST", "repair")).record.state, "succeeded")
    assert.equal((await hand.machine()).status, "running")
    await desk.does("stop")
    await hand.powerOn()
    assert.deepEqual(ids(await look()), ["machine.power"])
    await ends("POST", "repair")
    assert.equal((await hand.machine()).status, "off")
    assert.deepEqual(ids(await look()), [])
    await desk.does("start")
  })

  it("what is accepted stays through sleep, another size and a lost Redis, until that is taken back", async () => {
    await hand.addRule("22")
    await look()
    const refused = await test.api(root, "POST", path("drift/accept"), { difference: "machine.power", reason: "x" })
    assert.equal(refused.status, 404)
    const { drift, record } = await ends("POST", "drift/accept", { difference: RULE, reason: "support by SSH" })
    assert.equal(record.state, "succeeded")
    assert.deepEqual(
      [drift.differences, drift.accepted[0].by, drift.accepted[0].reason],
      [[], "root", "support by SSH"],
    )
    assert.deepEqual(ids(await look()), [])

    await desk.does("stop?mode=hibernate")
    await desk.does("start?sizeClass=medium")
    assert.deepEqual((await hand.rules()).sort(), ["22", "443"])
    assert.deepEqual(ids(await look()), [])
    await ends("POST", "repair")
    assert.deepEqual((await hand.rules()).sort(), ["22", "443"])

    const { services } = test.service
    await services.redis.del(KEY.workspace(desk.id), KEY.drift(desk.id))
    const cloud = testEngineConfig(test.directory, test.cloud)
    const { redis, machines, pool, backups, sizes, images, log } = services
    const means = { redis, machines, pool, backups, sizes, images, log, cloud, machineUrl: test.url, now: Date.now }
    assert.deepEqual(await rebuildRecords(means), [desk.id])
    const [kept] = (await services.store.get(desk.id))?.accepted ?? []
    assert.deepEqual([kept?.id, kept?.reason, kept?.by], [RULE, "support by SSH", "root"])
    assert.deepEqual(ids(await look()), [])

    await ends("DELETE", `drift/accept/${RULE}`)
    assert.deepEqual(ids(await look()), [RULE])
    assert.equal((await test.api(root, "DELETE", path(`drift/accept/${RULE}`))).status, 404)
    await ends("POST", "repair")
    assert.deepEqual(await hand.rules(), ["443"])
  })

  it("by itself, once in the time that is set, and not while the provider fails", async () => {
    test.env.FOOZOL_DRIFT_HOURS = "24"
    await hand.addRule("22")
    const before = (await test.api(root, "GET", path("drift"))).body.lookedAt
    ahead = 25 * HOUR
    for (let i = 0; i < 1_000; i++) test.service.services.weather.hear({ isFault: true, budget: null })
    await waitUntil("the storm was heard", async () => (await test.service.services.weather.now()).isStormy)
    await test.restart()
    assert.equal((await test.api(root, "GET", path("drift"))).body.lookedAt, before)
    // A minute later nothing of it counts, and the worker's next round is due.
    ahead += 120_000
    const seen = await waitUntil(
      "it was looked at",
      async () => {
        const { body } = await test.api(root, "GET", path("drift"))
        return body.lookedAt !== before && body
      },
      120_000,
    )
    assert.deepEqual(ids(seen), [RULE])
    assert.match(test.logged(), /a workspace is not as it shall be/)
  })

  it("a look that fails is told, and leaves what was known", async () => {
    await test.cloud.addFault({
      match: { method: "GET", path: "^/v1/firewalls" },
      fault: { kind: "status", status: 500 },
    })
    const { status, body } = await test.api(root, "POST", path("drift"))
    assert.equal(status, 503, JSON.stringify(body))
    await test.cloud.clearFaults()
    const { workspaces } = (await test.api(root, "GET", "/drift")).body
    assert.deepEqual([ids(workspaces[0]), workspaces[0].failure.id], [[RULE], body.id ?? workspaces[0].failure.id])
    const { drifted, failed } = await test.service.services.drift.counts()
    assert.deepEqual([drifted, failed], [1, 1])
  })

  it("a machine that is gone is left to a restore, which makes it again", async () => {
    await desk.does("backups", {})
    await hand.removeMachine()
    const [found] = (await look()).differences.filter((one: { resource: string }) => one.resource === "machine")
    assert.deepEqual([found.id, found.mends, found.acceptable], ["machine.there", "restore", false])
    assert.equal((await ends("POST", "repair")).record.state, "succeeded")
    assert.deepEqual(ids((await test.api(root, "GET", path("drift"))).body), ["machine.there"])
    const [backup] = await desk.snapshots()
    assert.equal((await desk.does("restore", { backup: String(backup?.id) })).state, "succeeded")
    assert.deepEqual(ids(await look()), [])
  })

  it("nothing is left of a workspace that is deleted", async () => {
    const asked = await test.api(ada, "DELETE", `/workspaces/${desk.id}`)
    assert.equal((await test.finished(ada, asked.body.operation.id)).state, "succeeded")
    assert.equal(await test.service.services.redis.exists(KEY.drift(desk.id)), 0)
    assert.deepEqual((await test.api(root, "GET", "/drift")).body.workspaces, [])
  })
})
