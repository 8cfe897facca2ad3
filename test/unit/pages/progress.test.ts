import assert from "node:assert/strict"
import fc from "fast-check"
import type { OperationEvent } from "../../../service/operations/operation.ts"
import { estimateWords, progressOf, within } from "../../../service/pages/progress.ts"
import { beginTimeline, follow, type Timeline } from "../../../service/pages/timeline.ts"

const STEPS = ["check", "resources", "boot", "desktop"]
const expected = { seconds: 40, steps: { check: 2, resources: 8, boot: 20, desktop: 10 } }
const unknown = { seconds: null, steps: {} }

const told = (...events: OperationEvent[]): Timeline => events.reduce(follow, beginTimeline(STEPS, 0))
const running: OperationEvent = { type: "state", state: "running", at: 0 }
const step = (name: string, state: "begun" | "done" | "failed", at: number) =>
  ({ type: "step", step: name, state, at }) as OperationEvent
const booting = told(
  running,
  step("check", "begun", 0),
  step("check", "done", 2_000),
  step("resources", "begun", 2_000),
  step("resources", "done", 10_000),
  step("boot", "begun", 10_000),
)

describe("progress of an operation", () => {
  it("a run that keeps to the estimate is where the clock says", () => {
    assert.equal(progressOf(booting, expected, 20_000).fraction, 0.5)
    assert.equal(progressOf(booting, expected, 10_000).fraction, 0.25)
    assert.equal(progressOf(booting, expected, 20_000).at, 2)
  })

  it("goes on and on, ever slower, and is never full before success", () => {
    fc.assert(
      fc.property(fc.nat(100_000_000), fc.nat(1_000_000), fc.constantFrom(expected, unknown), (at, more, known) => {
        const [one, two] = [progressOf(booting, known, at), progressOf(booting, known, at + more)]
        assert.ok(one.fraction <= two.fraction && two.fraction <= 0.99 && one.fraction >= 0)
      }),
    )
    assert.ok(within(3) > within(2) && within(1e6) < 1)
    // In a straight line at first, and without a jump where it bends.
    assert.equal(within(0.5), 0.5)
    assert.ok(Math.abs(within(0.7501) - within(0.75)) < 0.0002)
  })

  it("is full after success and only then", () => {
    const all = STEPS.flatMap(name => [step(name, "begun", 1), step(name, "done", 2)])
    assert.equal(progressOf(told(running, ...all), expected, 3).fraction, 0.99)
    assert.equal(
      progressOf(told(running, ...all, { type: "state", state: "succeeded", at: 3 }), expected, 3).fraction,
      1,
    )
  })

  it("says how long it usually takes, what is left, and that it is late", () => {
    const words = (now: number, seconds: number | null = 40) =>
      estimateWords(seconds, progressOf(booting, { ...expected, seconds }, now))
    assert.equal(words(15_000), "Usually about 40 s; about 25 s left")
    assert.equal(words(42_000), "Usually about 40 s; any moment now")
    assert.equal(words(51_000), "Taking longer than usual (about 40 s)")
    assert.equal(words(900_000, null), "No estimate yet: it was not done before")
  })

  it("an estimate of the whole without steps is shared among them", () => {
    const { fraction } = progressOf(booting, { seconds: 40, steps: {} }, 10_000)
    assert.equal(fraction, 0.5)
  })
})

describe("timeline of an operation", () => {
  it("keeps when steps began and ended, and the log", () => {
    const timeline = follow(booting, { type: "log", text: "hello", at: 11_000 })
    assert.deepEqual(timeline.steps.check, { state: "done", begunAt: 0, endedAt: 2_000 })
    assert.deepEqual(timeline.steps.desktop, { state: "waiting", begunAt: null, endedAt: null })
    assert.deepEqual(timeline.log, [{ at: 11_000, text: "hello" }])
    assert.equal(timeline.state, "running")
  })

  it("another attempt begins at the first step, while the clock goes on and the log is kept", () => {
    const broken = follow(booting, { type: "log", text: "the worker is gone", at: 11_000 })
    const again = follow(broken, { type: "state", state: "running", at: 50_000 })
    assert.equal(again.startedAt, 0)
    assert.ok(Object.values(again.steps).every(mark => mark.state === "waiting"))
    assert.equal(again.log.length, 1)
    const failed = [step("boot", "failed", 12_000), { type: "state" as const, state: "failed" as const, at: 12_000 }]
    assert.equal(failed.reduce(follow, booting).steps.boot?.state, "failed")
    assert.equal([...failed, running].reduce(follow, booting).steps.boot?.state, "waiting")
  })

  it("the clock begins with the work, said by a state or by a step", () => {
    assert.equal(follow(beginTimeline(STEPS, 5), { type: "state", state: "running", at: 9 }).startedAt, 9)
    const begun = follow(beginTimeline(STEPS, 5), step("check", "begun", 9))
    assert.deepEqual([begun.state, begun.startedAt], ["running", 9])
  })

  it("leaves out steps it does not know", () => {
    assert.deepEqual(follow(booting, step("magic", "begun", 1)), booting)
  })
})
