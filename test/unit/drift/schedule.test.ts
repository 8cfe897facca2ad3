import assert from "node:assert/strict"
import fc from "fast-check"
import { dueAt } from "../../../service/drift/schedule.ts"

const DAY = 24 * 3600_000
const HOUR = 3600_000

describe("drift: when a workspace is looked at", () => {
  const never = { createdAt: 0, triedAt: null, hasFailed: false }

  it("once in each period: after the last look, and no later than a period after it", () =>
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 100 }), (id, at, days) => {
        const period = days * HOUR
        const due = dueAt({ ...never, id, triedAt: at }, period)
        assert.ok(due > at && due <= at + period)
        // Looked at just then, it is due exactly a period later: nothing drifts away or comes too often.
        assert.equal(dueAt({ ...never, id, triedAt: due }, period), due + period)
      }),
    ))

  it("spread: of 2,400 made at the same time each hour of the day has about a hundred", () => {
    const hours = new Array<number>(24).fill(0)
    for (let one = 0; one < 2_400; one++) {
      const hour = Math.floor((dueAt({ ...never, id: `w-${one}`, createdAt: 5 * DAY }, DAY) % DAY) / HOUR)
      hours[hour] = (hours[hour] ?? 0) + 1
    }
    assert.ok(Math.min(...hours) > 60 && Math.max(...hours) < 140, hours.join())
  })

  it("a look that failed is tried again after an hour, or a period", () => {
    assert.equal(dueAt({ ...never, id: "w", triedAt: 7, hasFailed: true }, DAY), 7 + HOUR)
    assert.equal(dueAt({ ...never, id: "w", triedAt: 7, hasFailed: true }, HOUR / 2), 7 + HOUR / 2)
  })
})
