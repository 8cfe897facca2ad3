import assert from "node:assert/strict"
import { unusedSince } from "../../../service/idleness/words.ts"
import { fitting } from "../../../service/routes/pages/views.ts"
import { stopCosts } from "../../../service/workspaces/stop-costs.ts"
import { activity, options } from "../../support/page-samples.ts"

const GIB = 1024 ** 3
const side = { currency: "EUR", snapshotGbMonthly: 0.011, ipv4Monthly: { fsn1: 0.5 } }
const given = { machine: { monthly: 12, currency: "EUR" }, side, region: "fsn1", snapshotBytes: 10 * GIB, diskGb: 80 }
const round = (amount: number) => Math.round(amount * 1e6) / 1e6
const aDay = (monthly: number) => round((monthly * 12) / 365)

describe("what stopping costs", () => {
  const amounts = (more: Partial<Parameters<typeof stopCosts>[0]>) => {
    const { "power-off": off, hibernate } = stopCosts({ ...given, ...more })
    const amount = (of: typeof off) => of.perDay && round(of.perDay.amount)
    return [amount(off), amount(hibernate), hibernate.atMost]
  }
  it("is the machine's price for one, the snapshot's for the other, and the address for both", () => {
    assert.deepEqual(amounts({}), [aDay(12.5), aDay(0.61), false])
  })
  it("is at most what the whole disk would cost where no snapshot was made yet", () => {
    assert.deepEqual(amounts({ snapshotBytes: null }), [aDay(12.5), aDay(0.011 * 80 + 0.5), true])
  })
  it("is of a machine that is off what goes on, where that is not all", () => {
    assert.equal(amounts({ machine: { monthly: 12, offMonthly: 1.2, currency: "EUR" } })[0], aDay(1.2 + 0.5))
  })
  it("is not known without prices, and a region without a price for addresses adds nothing", () => {
    assert.deepEqual(amounts({ side: null }), [null, null, false])
    assert.deepEqual(amounts({ machine: null, snapshotBytes: null, diskGb: null }), [null, null, true])
    assert.deepEqual(amounts({ region: "hel1" }), [aDay(12), aDay(0.11), false])
  })
})

describe("why a workspace was stopped", () => {
  it("names the last use that counts, not a tab that was merely open", () => {
    const now = Date.now()
    const { judgement } = activity({ viewer: 0, input: 50, output: 70 })
    const input = judgement.signals.find(({ signal }) => signal === "input")?.lastAt ?? 0
    assert.ok(Math.abs(now - 50 * 60_000 - input) < 60_000)
    const at = new Date(input).toISOString().slice(11, 16)
    assert.match(unusedSince(judgement, now), new RegExp(`^nobody has used it since (\\S+ )?${at} UTC$`))
    assert.equal(unusedSince(activity({ viewer: 0 }).judgement, now), "nobody has used it")
  })
})

describe("sizes for a backup", () => {
  it("are those with room for its disk; the others say why not", () => {
    const [small, medium] = fitting(options, 80).sizes
    assert.deepEqual(small?.prices.fsn1, {
      ...options.sizes[0]?.prices.fsn1,
      ...{ available: false, reason: "The backup needs a disk of 80 GB" },
    })
    assert.deepEqual(medium, options.sizes[1])
  })
})
