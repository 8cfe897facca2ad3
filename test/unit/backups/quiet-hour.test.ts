import assert from "node:assert/strict"
import fc from "fast-check"
import { quietMinute, usedByHour } from "../../../service/backups/quiet-hour.ts"
import type { LedgerLine } from "../../../service/usage/ledger-line.ts"
import type { State } from "../../../service/workspaces/transitions.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = 20_000 * DAY
const NIGHT = { from: 22, to: 6 }
const line = (at: number, to: State, epoch: number): LedgerLine => ({
  ...{ at, to, epoch, workspace: "otter", owner: "gh-1", name: "", profile: "browser", provider: "hetzner" },
  ...{ region: "fsn1", size: "cx23", price: null, stopMode: null, from: null },
})
/** Used every day from one hour to another. */
const daily = (from: number, to: number, days: number) =>
  Array.from({ length: days }, (_, day) => [
    line(START + day * DAY + from * HOUR, "RUNNING", 2 * day + 1),
    line(START + day * DAY + to * HOUR, "IDLE", 2 * day + 2),
  ]).flat()
const hourOf = (minute: number) => Math.floor(minute / 60)

describe("quiet hour of a workspace", () => {
  it("counts what is RUNNING by the hour of the day, over the last two weeks", () => {
    const used = usedByHour(daily(9, 11, 20), START + 20 * DAY)
    assert.equal(used?.[9], 14 * HOUR)
    assert.equal(used?.[10], 14 * HOUR)
    assert.equal(used?.[11], 0)
    assert.equal(usedByHour(daily(9, 11, 2), START + 2 * DAY), null, "no habits yet")
    assert.equal(usedByHour([], START), null)
  })

  it("is when nobody is there, at night where that is as good, and by day for whoever works at night", () => {
    for (const id of ["a", "b", "c", "d", "e"]) {
      const office = hourOf(quietMinute(id, usedByHour(daily(8, 18, 14), START + 14 * DAY), NIGHT))
      assert.ok(office >= 22 || office < 6, `${office}`)
      const nights = Array.from({ length: 24 }, (_, hour) => (hour >= 21 || hour < 8 ? 10 * HOUR : 0))
      const day = hourOf(quietMinute(id, nights, NIGHT))
      assert.ok(day >= 9 && day <= 19, `${day}`)
    }
    const unknown = hourOf(quietMinute("a", null, { from: 1, to: 3 }))
    assert.ok(unknown === 1 || unknown === 2)
  })

  it("spreads workspaces over the night", () => {
    const minutes = Array.from({ length: 2_000 }, (_, at) => quietMinute(`w-${at}`, null, NIGHT))
    const byHour = Map.groupBy(minutes, hourOf)
    assert.deepEqual(
      [...byHour.keys()].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 22, 23],
    )
    for (const [, its] of byHour) assert.ok(its.length > 150 && its.length < 350, String(its.length))
    const most = Math.max(...[...Map.groupBy(minutes, minute => minute).values()].map(its => its.length))
    assert.ok(most <= 16, `${most} in one minute`)
  })

  it("whatever the use: it is one of the quietest hours, and the same each time it is asked", () => {
    const use = fc.array(fc.integer({ min: 0, max: 14 * HOUR }), { minLength: 24, maxLength: 24 })
    fc.assert(
      fc.property(use, fc.string(), (used, id) => {
        const minute = quietMinute(id, used, NIGHT)
        assert.equal(minute, quietMinute(id, used, NIGHT))
        assert.ok(Number.isInteger(minute) && minute >= 0 && minute < 1440)
        const cost = (hour: number) =>
          (used[hour] ?? 0) + ((used[(hour + 23) % 24] ?? 0) + (used[(hour + 1) % 24] ?? 0)) / 2
        const least = Math.min(...used.map((_, hour) => cost(hour)))
        assert.ok(cost(hourOf(minute)) <= least + HOUR / 3)
      }),
      { numRuns: 500 },
    )
  })
})
