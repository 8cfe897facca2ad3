import assert from "node:assert/strict"
import { isDrained } from "../../../service/operations/drain.ts"
import { countStates, type FleetQuery, selectFleet } from "../../../service/operators/fleet.ts"
import { costsOf } from "../../../service/operators/overview.ts"
import { ACTIONS, type Action, planOf } from "../../../service/operators/plan.ts"
import { STATES } from "../../../service/workspaces/transitions.ts"
import { workspace } from "../../support/page-samples.ts"

describe("operators: what an action would begin", () => {
  const plan = (action: Action, more: Parameters<typeof workspace>[0], mode: "power-off" | "hibernate" = "power-off") =>
    planOf(action, workspace(more), { kind: "wake" }, mode).kind
  it("is what the table of moves allows", () => {
    assert.equal(plan("stop", { state: "IDLE" }), "stop")
    assert.equal(plan("stop", { state: "IDLE" }, "hibernate"), "hibernate")
    assert.equal(plan("start", { state: "STOPPED" }), "start")
    assert.equal(plan("start", { state: "STOPPED", snapshot: "9" }), "wake")
    assert.equal(plan("backup", { state: "STOPPED", snapshot: "9" }), null)
    assert.equal(plan("retry", { state: "FAILED" }), "wake")
    assert.equal(plan("retry", { state: "RUNNING" }), null)
    assert.equal(plan("destroy", { state: "PROVISIONING" }), "destroy")
  })
  it("is nothing with a reason, or something without one", () => {
    for (const action of ACTIONS) {
      for (const state of STATES) {
        const { kind, why } = planOf(action, workspace({ state }), null, "power-off")
        assert.notEqual(kind === null, why === null, `${action} ${state}`)
      }
    }
  })
})

describe("operators: the fleet", () => {
  const all = [
    { workspace: workspace({ id: "a", name: "Desk", owner: "gh-1", createdAt: 1 }), login: "Ada" },
    {
      workspace: workspace({ id: "b", name: "b", owner: "gh-2", state: "FAILED", region: "hel1", createdAt: 3 }),
      login: "bob",
    },
    { workspace: workspace({ id: "c", name: "c", owner: "gh-2", image: 2, createdAt: 2 }), login: "bob" },
  ]
  const ids = (query: FleetQuery) => selectFleet(all, query, { browser: 2 }).map(one => one.workspace.id)
  it("is found by any part of what it is called, newest first", () => {
    assert.deepEqual(ids({}), ["b", "c", "a"])
    assert.deepEqual(ids({ search: " ADA " }), ["a"])
    assert.deepEqual(ids({ search: "desk" }), ["a"])
    assert.deepEqual(ids({ search: "hel1" }), ["b"])
    assert.deepEqual(ids({ owner: "BOB", state: "RUNNING" }), ["c"])
    assert.deepEqual(ids({ owner: "gh-1" }), ["a"])
    assert.deepEqual(ids({ region: "hel1", state: "RUNNING" }), [])
    assert.deepEqual(ids({ outdated: false }), ["c"])
    assert.deepEqual(ids({ outdated: true }), ["b", "a"])
  })
  it("is counted by state", () => {
    assert.deepEqual(countStates(all.map(one => one.workspace)), [
      { state: "RUNNING", count: 2 },
      { state: "FAILED", count: 1 },
    ])
  })
})

describe("operators: what a month will have cost", () => {
  const NOW = Date.parse("2026-11-30T00:00:00Z")
  const price = { currency: "EUR", hourly: 0.5, monthly: 100 }
  const used = (amount: number) => ({
    ...{ month: "2026-11", workspace: "a", owner: "1", name: "a", profile: "browser", provider: "hetzner" },
    ...{ region: "fsn1", size: "cx43", costs: [{ currency: "EUR", amount }], unpricedSeconds: 0 },
    seconds: { active: 0, idle: 0, stopped: 0, hibernated: 0, changing: 0, failed: 0 },
  })
  const forecast = (amount: number, more: Parameters<typeof workspace>[0]) =>
    costsOf([used(amount)], [workspace({ id: "a", price, ...more })], NOW)
  it("adds the hours that are left, up to the price of a month", () => {
    assert.deepEqual(forecast(10, {}), [{ currency: "EUR", amount: 10, forecast: 22 }])
    assert.deepEqual(forecast(95, {}), [{ currency: "EUR", amount: 95, forecast: 100 }])
  })
  it("adds nothing for what sleeps", () => {
    assert.deepEqual(forecast(10, { state: "STOPPED", stopMode: "hibernate" }), [
      { currency: "EUR", amount: 10, forecast: 10 },
    ])
  })
  it("is nothing where nothing is", () => assert.deepEqual(costsOf([], [], NOW), []))
})

describe("operators: draining", () => {
  it("is for all, for a host, or for one worker", () => {
    const worker = { id: "one:42", host: "one" }
    assert.equal(isDrained(worker, []), false)
    assert.equal(isDrained(worker, ["host:two", "worker:one:43"]), false)
    for (const target of ["all", "host:one", "worker:one:42"]) assert.equal(isDrained(worker, [target]), true, target)
  })
})
