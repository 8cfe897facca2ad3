import assert from "node:assert/strict"
import { judgeSilence, type Suspicion } from "../../../service/reconcile/verdict.ts"

describe("service/reconcile/verdict", () => {
  const NOW = 1_800_000_000_000
  const looksAt = (...states: (string | null)[]) => {
    let before: Suspicion | null = null
    let wrong: string | null = null
    for (const state of states) {
      const machine = state === null ? null : { state: state as "off" }
      const judged = judgeSilence(machine, 7, before, NOW)
      before = judged.suspicion
      wrong = judged.wrong
    }
    return { wrong, before: before as Suspicion | null }
  }

  it("a machine that is off, or gone, is so only at the second look that says the same", () => {
    assert.equal(looksAt("off").wrong, null)
    assert.equal(looksAt("off", "off").wrong, "off")
    assert.equal(looksAt(null).wrong, null)
    assert.equal(looksAt(null, null).wrong, "gone")
    assert.equal(looksAt("off", null).wrong, null)
    assert.equal(looksAt("off", "running", "off").wrong, null)
  })

  it("what was found in another epoch counts for nothing", () => {
    const { suspicion } = judgeSilence({ state: "off" }, 7, null, NOW)
    assert.equal(judgeSilence({ state: "off" }, 8, suspicion, NOW).wrong, null)
  })

  it("a silent machine that runs is looked at less and less often, an hour apart at most", () => {
    let before: Suspicion | null = null
    const pauses = Array.from({ length: 9 }, () => {
      before = judgeSilence({ state: "running" }, 1, before, NOW).suspicion
      return (before.nextAt - NOW) / 60_000
    })
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60])
  })
})
