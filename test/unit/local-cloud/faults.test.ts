import assert from "node:assert/strict"
import { createFaults, FaultRule, type FaultRuleInput } from "../../../local-cloud/faults.ts"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

describe("faults/strike", () => {
  const request = { method: "POST", path: "/v1/servers", project: "p" }
  const rules = (random: () => number, ...given: FaultRuleInput[]) => {
    const faults = createFaults(random)
    for (const one of given) faults.add(FaultRule.parse(one))
    return faults
  }
  const hang = { kind: "hang" } as const

  it("strikes the first `times` requests that match", () => {
    const faults = rules(Math.random, { match: { method: "POST", path: "/servers$" }, times: 2, fault: hang })
    assert.equal(faults.strike({ ...request, method: "GET" }), null)
    assert.equal(faults.strike({ ...request, path: "/v1/servers/1" }), null)
    const struck = [1, 2, 3].map(() => faults.strike(request)?.kind)
    assert.deepEqual(struck, ["hang", "hang", undefined])
    assert.equal(faults.list()[0]?.struck, 2)
  })
  it("strikes one project only, when told so", () => {
    const faults = rules(Math.random, { match: { project: "other" }, fault: hang })
    assert.equal(faults.strike(request), null)
    assert.deepEqual(faults.strike({ ...request, project: "other" }), hang)
  })
  it("strikes with its probability", () => {
    const rolls = [0.1, 0.29, 0.3, 0.9]
    const faults = rules(() => rolls.shift() ?? 1, { probability: 0.3, fault: hang })
    assert.deepEqual(
      [1, 2, 3, 4].map(() => faults.strike(request) !== null),
      [true, true, false, false],
    )
  })
  it("lets the first rule that fits decide, and none after `clear`", () => {
    const faults = rules(Math.random, { times: 1, fault: hang }, { fault: { kind: "drop_before" } })
    assert.deepEqual([faults.strike(request)?.kind, faults.strike(request)?.kind], ["hang", "drop_before"])
    faults.clear()
    assert.equal(faults.strike(request), null)
  })
  it("refuses rules that make no sense", () => {
    for (const bad of [{ fault: { kind: "rain" } }, { fault: hang, match: { path: "(" } }, { fault: hang, times: 0 }])
      assert.equal(FaultRule.safeParse(bad).success, false)
  })
})

describe("faults through the API", () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ machines: "none" })
  })
  after(() => cloud?.close())
  afterEach(() => cloud.clearFaults())
  const server = (name: string) => ({ name, server_type: "cx23", image: cloud.imageId, location: "fsn1" })
  const create = (name: string) => cloud.call("POST", "/servers", server(name))
  const exists = async (name: string) =>
    (await cloud.api<{ servers: object[] }>("GET", `/servers?name=${name}`)).servers.length === 1
  const match = { method: "POST", path: "/servers$" } as const

  it("delay: the answer comes later and is the same", async () => {
    await cloud.addFault({ match, fault: { kind: "delay", ms: 50 } })
    const before = performance.now()
    assert.equal((await create("late")).status, 201)
    // Timers may fire a millisecond early.
    assert.ok(performance.now() - before >= 45)
  })
  it("status: an error with headers, and nothing carried out", async () => {
    const fault = { kind: "status", status: 503, code: "unavailable", message: "busy", headers: { "Retry-After": "7" } }
    await cloud.addFault({ match, fault: fault as { kind: "status"; status: number } })
    const { status, headers, body } = await create("refused")
    assert.deepEqual([status, headers.get("retry-after")], [503, "7"])
    assert.deepEqual(body, { error: { code: "unavailable", message: "busy", details: null } })
    assert.equal(await exists("refused"), false)
  })
  it("hang: no answer, and nothing carried out", async () => {
    await cloud.addFault({ match, fault: { kind: "hang" } })
    const request = fetch(`${cloud.apiUrl}/servers`, {
      method: "POST",
      headers: { authorization: `Bearer ${cloud.token}` },
      body: JSON.stringify(server("stuck")),
      signal: AbortSignal.timeout(200),
    })
    await assert.rejects(request, { name: "TimeoutError" })
    assert.equal(await exists("stuck"), false)
  })
  it("drop_before: the connection breaks and nothing was carried out", async () => {
    await cloud.addFault({ match, fault: { kind: "drop_before" } })
    await assert.rejects(create("unborn"))
    assert.equal(await exists("unborn"), false)
  })
  it("drop_after: the connection breaks and all was carried out", async () => {
    await cloud.addFault({ match, fault: { kind: "drop_after" } })
    await assert.rejects(create("orphan"))
    assert.equal(await exists("orphan"), true)
    assert.ok(cloud.ledger().alive.some(one => one.name === "orphan"))
  })
  it("fail_action: accepted, and its action ends in an error, as does the one after it", async () => {
    await cloud.addFault({ match, times: 1, fault: { kind: "fail_action" } })
    const { status, body } = await create("failed")
    const { action, next_actions, server } = body as {
      action: { status: string; error: { code: string } }
      next_actions: { status: string }[]
      server: { id: number; status: string; locked: boolean }
    }
    assert.deepEqual([status, action.status, action.error.code], [201, "error", "action_failed"])
    assert.deepEqual([next_actions[0]?.status, server.status, server.locked], ["error", "off", false])
    await cloud.api("DELETE", `/servers/${server.id}`)
    assert.equal((await create("failed")).status, 201)
  })
})
