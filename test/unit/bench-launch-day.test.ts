import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { launchDayTable } from "../../bench/launch-day.ts"
import { arrivals, launchDay, SCENARIOS } from "../../bench/launch-day-model.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"

const [HOUR, DAY] = [3_600_000, 86_400_000]

describe("bench launch-day: a day of sign-ups on paper", function () {
  // A second's work; ten times as long beside others.
  this.timeout(300_000)
  it("people come in order within the day, most of them early", () => {
    const times = arrivals(2_000)
    assert.equal(times.length, 2_000)
    assert.ok(times.every((at, index) => at >= (times[index - 1] ?? 0) && at < DAY))
    assert.ok(times.filter(at => at < 6 * HOUR).length > 1_000)
  })

  it("an authority's number is never gone beyond, and nobody is lost", () => {
    const only = launchDay({ title: "", authorities: [{ name: "first", most: 50 }] }, 300)
    assert.deepEqual([only.atOnce, only.byAuthority.first], [50, 300])
    // 250 that come back one every 202 minutes.
    assert.ok(Math.abs(only.longest / DAY - 250 * (7 / 50)) < 1.5, `${only.longest / DAY} days`)
  })

  it("what the first cannot give the second does, and while the first is down all", () => {
    const both = { first: { name: "first", most: 50 }, second: { name: "second", most: 0 } }
    const day = launchDay({ title: "", authorities: [both.first, both.second] }, 300)
    assert.equal(day.atOnce, 300)
    assert.ok((day.byAuthority.second ?? 0) >= 243, JSON.stringify(day.byAuthority))
    const down = { ...both.first, most: 1_000, down: { from: 0, to: 24 } }
    assert.equal(launchDay({ title: "", authorities: [down, both.second] }, 300).byAuthority.second, 300)
  })

  it("the documentation shows what the model says", () => {
    const text = readFileSync(join(PROJECT_ROOT, "docs", "certificates.md"), "utf8")
    const table = /<!-- launch-day -->\n([\s\S]*?)\n<!-- end -->/.exec(text)?.[1]
    assert.equal(table, launchDayTable(SCENARIOS.map(scenario => launchDay(scenario, 2_000))))
  })
})
