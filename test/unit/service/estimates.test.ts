import assert from "node:assert/strict"
import fc from "fast-check"
import { type Durations, medians } from "../../../service/operations/estimates.ts"

describe("estimates from past runs", () => {
  it("are none where there were none", () => {
    assert.deepEqual(medians([]), { seconds: null, steps: {} })
  })

  it("are the middle of what it took, in all and by step", () => {
    const past: Durations[] = [
      { seconds: 10, steps: { boot: 4, desktop: 1 } },
      { seconds: 1_000, steps: { boot: 900 } },
      { seconds: 12.34, steps: { boot: 5.06, desktop: 2 } },
    ]
    assert.deepEqual(medians(past), { seconds: 12.3, steps: { boot: 5.1, desktop: 2 } })
  })

  it("lie between the shortest and the longest, and one odd run among three does not move them", () => {
    const seconds = fc.double({ min: 0, max: 1_000, noNaN: true })
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1, maxLength: 15 }), took => {
        const estimate = medians(took.map(one => ({ seconds: one, steps: { power: one } })))
        const [least, most] = [Math.min(...took) - 0.05, Math.max(...took) + 0.05]
        assert.ok((estimate.seconds as number) >= least && (estimate.seconds as number) <= most)
        assert.equal(estimate.steps.power, estimate.seconds)
      }),
    )
    fc.assert(
      fc.property(seconds, odd => {
        const { seconds: middle } = medians([10, 10, odd].map(one => ({ seconds: one, steps: {} })))
        assert.equal(middle, 10)
      }),
    )
  })
})
