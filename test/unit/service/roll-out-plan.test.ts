import assert from "node:assert/strict"
import fc from "fast-check"
import { nextStep, type Outdated, planRollOut, type Wave } from "../../../service/roll-outs/plan.ts"
import { STATES } from "../../../service/workspaces/transitions.ts"

const settings = { wave: 10, stopAt: 20, inUse: false }
const none = { running: 0, failed: 0 }
const some = (state: Outdated["state"], count: number, from = 0): Outdated[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${state.toLowerCase()}-${from + index}`, state, asleep: false }))
const waveOf = (...ids: string[]): Wave => ({ begunAt: 0, operations: Object.fromEntries(ids.map(id => [id, id])) })

describe("nextStep() of a roll-out", () => {
  it("takes its part of all, what is off before what is idle, and leaves what is used alone", () => {
    const outdated = [...some("RUNNING", 8), ...some("IDLE", 10), ...some("STOPPED", 2)]
    const step = nextStep(settings, [], none, outdated, 40)
    assert.deepEqual(step, { do: "wave", workspaces: ["stopped-0", "stopped-1", "idle-0", "idle-1"] })
  })

  it("takes what is used when it is told to, last of all", () => {
    const outdated = [...some("RUNNING", 2), ...some("IDLE", 1)]
    const step = nextStep({ ...settings, wave: 100, inUse: true }, [], none, outdated, 3)
    assert.deepEqual(step, { do: "wave", workspaces: ["idle-0", "running-0", "running-1"] })
  })

  it("waits for the wave that goes on, and for what is in use or moving", () => {
    assert.deepEqual(nextStep(settings, [waveOf("a")], { running: 1, failed: 0 }, some("IDLE", 5), 6), { do: "wait" })
    assert.deepEqual(nextStep(settings, [waveOf("a")], none, some("RUNNING", 5), 6), { do: "wait" })
    assert.deepEqual(nextStep(settings, [waveOf("a")], none, some("STARTING", 1), 6), { do: "wait" })
  })

  it("stops by itself when more of a wave failed than may, while the rest of it still goes on", () => {
    const waves = [waveOf("a", "b", "c", "d", "e")]
    assert.equal(nextStep(settings, waves, { running: 0, failed: 1 }, some("IDLE", 5), 10).do, "wave")
    const step = nextStep(settings, waves, { running: 3, failed: 2 }, some("IDLE", 5), 10)
    assert.deepEqual(step, { do: "stop", why: "2 of 5 workspaces of wave 1 failed." })
  })

  it("is done when nothing is left but what sleeps, has failed or was tried", () => {
    const outdated = [
      { id: "a", state: "STOPPED", asleep: true },
      { id: "b", state: "FAILED", asleep: false },
      { id: "c", state: "RUNNING", asleep: false },
    ] as Outdated[]
    assert.deepEqual(nextStep(settings, [waveOf("c")], none, outdated, 5), { do: "done", left: 2 })
    assert.deepEqual(nextStep(settings, [waveOf("a")], none, [], 5), { do: "done", left: 0 })
  })

  it("whatever there is: a wave is no larger than its part, and nothing is tried twice", () => {
    const outdated = fc.uniqueArray(
      fc.record({ id: fc.string({ minLength: 1 }), state: fc.constantFrom(...STATES), asleep: fc.boolean() }),
      { selector: one => one.id },
    )
    fc.assert(
      fc.property(
        outdated,
        fc.array(fc.array(fc.string({ minLength: 1 }), { minLength: 1 })),
        fc.integer({ min: 1, max: 100 }),
        fc.boolean(),
        (all, before, wave, inUse) => {
          const waves = before.map(ids => waveOf(...ids))
          const step = nextStep({ wave, stopAt: 20, inUse }, waves, none, all, all.length)
          if (step.do !== "wave") return
          assert.ok(
            step.workspaces.length >= 1 && step.workspaces.length <= Math.max(1, Math.ceil((all.length * wave) / 100)),
          )
          for (const id of step.workspaces) {
            assert.ok(!before.flat().includes(id))
            const { state, asleep } = all.find(one => one.id === id) as Outdated
            assert.ok(!asleep && ["STOPPED", "IDLE", ...(inUse ? ["RUNNING"] : [])].includes(state))
          }
        },
      ),
    )
  })
})

describe("planRollOut()", () => {
  const outdated = [...some("STOPPED", 2), ...some("IDLE", 1), ...some("RUNNING", 3), ...some("STARTING", 1)]
  const left = [...some("FAILED", 2), { id: "asleep", state: "STOPPED" as const, asleep: true }]

  it("names the first wave, and counts what is waited for and what is left alone", () => {
    assert.deepEqual(planRollOut({ ...settings, wave: 20 }, [...outdated, ...left]), {
      ...{ total: 10, first: ["stopped-0", "stopped-1"], waiting: 4, left: 3 },
    })
  })

  it("waits for nothing that is used when it is told to take that too", () => {
    const { first, waiting } = planRollOut({ ...settings, wave: 100, inUse: true }, outdated)
    assert.deepEqual([first.length, waiting], [6, 1])
  })

  it("names none where all is waited for, or left alone", () => {
    assert.deepEqual(planRollOut(settings, some("RUNNING", 2)), { total: 2, first: [], waiting: 2, left: 0 })
    assert.deepEqual(planRollOut(settings, left), { total: 3, first: [], waiting: 0, left: 3 })
  })
})
