import assert from "node:assert/strict"
import fc from "fast-check"
import { type LedgerLine, lineText, parseLine } from "../../../service/usage/ledger-line.ts"
import { monthAfter, monthOf, partsByMonth, startOf } from "../../../service/usage/months.ts"
import { totalCosts, usageOf, type WorkspaceUsage } from "../../../service/usage/usage.ts"
import type { State } from "../../../service/workspaces/transitions.ts"

const HOUR = 3_600_000
const at = (text: string) => Date.parse(text)
const EUR = { currency: "EUR", hourly: 0.01, monthly: 6 }

const line = (more: Partial<LedgerLine> & Pick<LedgerLine, "at" | "to" | "epoch">): LedgerLine => ({
  ...{ workspace: "w", owner: "gh-1", name: "My desk", profile: "browser", provider: "hetzner", region: "fsn1" },
  ...{ size: "cx23", price: EUR, stopMode: null, from: null },
  ...more,
})
/** A life: states with the times they begin at, each with an epoch of its own. */
const life = (...states: [string, State][]) =>
  states.map(([time, to], place) => line({ at: at(time), to, epoch: place + 1 }))
const total = (usage: WorkspaceUsage[]) =>
  Math.round(usage.flatMap(one => Object.values(one.seconds)).reduce((sum, seconds) => sum + seconds * 1000, 0))
const cost = (usage: WorkspaceUsage[]) => totalCosts(usage)[0]?.amount ?? 0
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`)

describe("usage of workspaces", () => {
  it("counts each state as what it is, up to now, and nothing after the end", () => {
    const lines = life(
      ["2026-11-03T10:00:00Z", "PROVISIONING"],
      ["2026-11-03T10:01:00Z", "RUNNING"],
      ["2026-11-03T12:01:00Z", "IDLE"],
      ["2026-11-03T12:31:00Z", "STOPPING"],
      ["2026-11-03T12:31:30Z", "STOPPED"],
      ["2026-11-04T12:31:30Z", "STARTING"],
      ["2026-11-04T12:32:00Z", "FAILED"],
      ["2026-11-04T12:42:00Z", "TERMINATING"],
      ["2026-11-04T12:42:10Z", "TERMINATED"],
    )
    const [one, ...others] = usageOf(lines, at("2027-01-01T00:00:00Z"))
    assert.deepEqual(others, [])
    assert.deepEqual(one?.seconds, {
      ...{ active: 7200, idle: 1800, stopped: 86_400, hibernated: 0, changing: 60 + 30 + 30 + 10, failed: 600 },
    })
    const running = usageOf(lines.slice(0, 2), at("2026-11-03T10:11:00Z"))
    assert.equal(running[0]?.seconds.active, 600)
  })

  it("parts what a machine cost while it was a spare one from what its owner has had of it", () => {
    const owner = "warm-pool"
    const spare = [
      line({ owner, at: at("2026-11-03T10:00:00Z"), to: "PROVISIONING", epoch: 1 }),
      line({ owner, at: at("2026-11-03T10:01:00Z"), to: "RUNNING", epoch: 2 }),
      line({ owner, at: at("2026-11-03T12:00:00Z"), to: "TERMINATED", epoch: 3 }),
    ]
    const taken = [
      line({ at: at("2026-11-03T12:00:00Z"), to: "PROVISIONING", epoch: 4 }),
      line({ at: at("2026-11-03T12:00:02Z"), to: "RUNNING", epoch: 5 }),
    ]
    const now = at("2026-11-03T13:00:00Z")
    const all = usageOf([...taken, ...spare], now)
    const hours = (whose: string) => total(all.filter(one => one.owner === whose)) / HOUR
    assert.deepEqual([all.length, hours(owner), hours("gh-1")], [2, 2, 1])
    assert.deepEqual(
      usageOf(spare, now),
      all.filter(one => one.owner === owner),
    )
    assert.deepEqual(
      usageOf(taken, now),
      all.filter(one => one.owner !== owner),
    )
  })
  it("splits months at midnight UTC, over leap days and years", () => {
    const lines = life(["2027-12-31T23:00:00Z", "RUNNING"], ["2028-03-01T01:00:00Z", "TERMINATED"])
    const usage = usageOf(lines, at("2030-01-01T00:00:00Z"))
    assert.deepEqual(
      usage.map(one => [one.month, one.seconds.active]),
      [
        ["2027-12", 3600],
        ["2028-01", 31 * 86_400],
        ["2028-02", 29 * 86_400],
        ["2028-03", 3600],
      ],
    )
  })

  const costs: { what: string; lines: LedgerLine[]; now: string; expected: number }[] = [
    {
      what: "by the hour, not rounded",
      lines: life(["2026-11-03T10:00:00Z", "RUNNING"]),
      now: "2026-11-03T11:30:00Z",
      expected: 0.015,
    },
    {
      what: "the full price while its power is off",
      lines: life(["2026-11-03T10:00:00Z", "STOPPED"]),
      now: "2026-11-03T20:00:00Z",
      expected: 0.1,
    },
    {
      what: "nothing while it is hibernated",
      lines: [line({ at: at("2026-11-03T10:00:00Z"), to: "STOPPED", epoch: 1, stopMode: "hibernate" })],
      now: "2026-11-13T10:00:00Z",
      expected: 0,
    },
    {
      what: "the full price in a way of stopping that nobody knows",
      lines: [line({ at: at("2026-11-03T10:00:00Z"), to: "STOPPED", epoch: 1, stopMode: "freeze" })],
      now: "2026-11-03T20:00:00Z",
      expected: 0.1,
    },
    {
      what: "never more than the price of a month at Hetzner",
      lines: life(["2026-10-01T00:00:00Z", "RUNNING"]),
      now: "2026-11-01T00:00:00Z",
      expected: 6,
    },
    {
      what: "each hour of a month with another provider",
      lines: [line({ at: at("2026-10-01T00:00:00Z"), to: "RUNNING", epoch: 1, provider: "other" })],
      now: "2026-11-01T00:00:00Z",
      expected: 7.44,
    },
    {
      what: "each interval by the price on its own first line",
      lines: [
        line({ at: at("2026-11-03T10:00:00Z"), to: "RUNNING", epoch: 1 }),
        line({
          ...{ at: at("2026-11-03T12:00:00Z"), to: "RUNNING", epoch: 2, size: "cx53" },
          price: { ...EUR, hourly: 0.1, monthly: 60 },
        }),
      ],
      now: "2026-11-03T13:00:00Z",
      expected: 0.12,
    },
  ]
  for (const { what, lines, now, expected } of costs) {
    it(`costs ${what}`, () => near(cost(usageOf(lines, at(now))), expected))
  }

  it("at Google costs its disk alone while it is off, and nothing asleep; a month has no cap", () => {
    const USD = { currency: "USD", hourly: 0.1, monthly: 73, offHourly: 0.01 }
    const lines = (stopMode: string, to: State) => [
      line({ at: at("2026-11-03T10:00:00Z"), to, epoch: 1, provider: "gcp", price: USD, stopMode }),
      line({ at: at("2026-11-04T10:00:00Z"), to: "TERMINATED", epoch: 2, provider: "gcp", price: USD }),
    ]
    const spent = (stopMode: string, to: State) => cost(usageOf(lines(stopMode, to), at("2027-01-01T00:00:00Z")))
    near(spent("power-off", "STOPPED"), 0.24)
    near(spent("hibernate", "STOPPED"), 0)
    near(spent("power-off", "RUNNING"), 2.4)
    const [stored] = lines("power-off", "STOPPED")
    assert.deepEqual(parseLine(lineText(stored as LedgerLine))?.price, USD)
  })

  it("says what has no price instead of taking it for free, and keeps currencies apart", () => {
    const dollars = { currency: "USD", hourly: 1, monthly: 1000 }
    const [one] = usageOf(
      [
        line({ at: at("2026-11-03T10:00:00Z"), to: "RUNNING", epoch: 1, price: null }),
        line({ at: at("2026-11-03T11:00:00Z"), to: "RUNNING", epoch: 2 }),
        line({ at: at("2026-11-03T12:00:00Z"), to: "RUNNING", epoch: 3, price: dollars }),
      ],
      at("2026-11-03T13:00:00Z"),
    )
    assert.equal(one?.unpricedSeconds, 3600)
    assert.deepEqual(
      one?.costs.map(({ currency }) => currency),
      ["EUR", "USD"],
    )
  })

  it("keeps every stay in IDLE, though all have the epoch of one start", () => {
    const states: State[] = ["RUNNING", "IDLE", "RUNNING", "IDLE", "RUNNING"]
    const lines = states.map((to, place) => line({ at: startOf("2026-11") + place * HOUR, to, epoch: 2 }))
    const [one] = usageOf(lines.toReversed(), startOf("2026-11") + 5 * HOUR)
    assert.deepEqual([one?.seconds.active, one?.seconds.idle], [3 * 3600, 2 * 3600])
  })

  it("believes the epoch where clocks of workers differ", () => {
    const lines = life(["2026-11-03T10:00:05Z", "RUNNING"], ["2026-11-03T10:00:00Z", "STOPPED"])
    const [one] = usageOf(lines, at("2026-11-03T11:00:05Z"))
    assert.equal(one?.seconds.active, 0)
    assert.equal(one?.seconds.stopped, 3600)
  })
})

const PLACES: State[] = ["PROVISIONING", "RUNNING", "IDLE", "STOPPING", "STOPPED", "STARTING", "FAILED", "TERMINATING"]
const START = at("2026-01-01T00:00:00Z")

/** Lives of some workspaces, of up to some two years each, some of them ended. */
const lives = fc.array(
  fc.record({
    birth: fc.nat(400 * 24 * HOUR),
    stays: fc.array(fc.record({ to: fc.constantFrom(...PLACES), ms: fc.nat(60 * 24 * HOUR) }), {
      minLength: 1,
      maxLength: 12,
    }),
    ended: fc.boolean(),
    after: fc.nat(90 * 24 * HOUR),
  }),
  { minLength: 1, maxLength: 4 },
)

function linesOf(all: typeof lives extends fc.Arbitrary<infer T> ? T : never) {
  const now = Math.max(
    ...all.map(one => START + one.birth + one.stays.reduce((sum, stay) => sum + stay.ms, 0) + one.after),
  )
  let alive = 0
  const lines = all.flatMap((one, number) => {
    let time = START + one.birth
    const its = one.stays.map((stay, place) => {
      const made = line({ workspace: `w-${number}`, at: time, to: stay.to, epoch: place + 1 })
      time += stay.ms
      return made
    })
    if (one.ended) its.push(line({ workspace: `w-${number}`, at: time, to: "TERMINATED", epoch: its.length + 1 }))
    alive += (one.ended ? time : now) - (START + one.birth)
    return its
  })
  return { lines, now, alive }
}

describe("usage, whatever the lives", () => {
  it("seconds over all months and kinds add up to the lives", () => {
    fc.assert(
      fc.property(lives, all => {
        const { lines, now, alive } = linesOf(all)
        assert.equal(total(usageOf(lines, now)), alive)
      }),
    )
  })

  it("neither order nor copies of lines matter", () => {
    fc.assert(
      fc.property(lives, fc.infiniteStream(fc.nat()), (all, numbers) => {
        const { lines, now } = linesOf(all)
        const next = () => numbers.next().value as number
        const copied = lines.flatMap(one => Array.from({ length: 1 + (next() % 3) }, () => ({ ...one })))
        const shuffled = copied.map(one => ({ one, key: next() })).sort((a, b) => a.key - b.key)
        assert.deepEqual(
          usageOf(
            shuffled.map(({ one }) => one),
            now,
          ),
          usageOf(lines, now),
        )
      }),
    )
  })

  it("no month has more seconds than it is long, nor costs more than its cap", () => {
    fc.assert(
      fc.property(lives, all => {
        const { lines, now } = linesOf(all)
        for (const one of usageOf(lines, now)) {
          const length = startOf(monthAfter(one.month)) - startOf(one.month)
          assert.ok(total([one]) <= length)
          assert.ok(cost([one]) <= EUR.monthly + 1e-9)
          assert.ok(cost([one]) >= 0)
        }
      }),
    )
  })

  it("as time goes on nothing gets less", () => {
    fc.assert(
      fc.property(lives, fc.nat(40 * 24 * HOUR), (all, later) => {
        const { lines, now } = linesOf(all)
        assert.ok(cost(usageOf(lines, now + later)) >= cost(usageOf(lines, now)) - 1e-9)
      }),
    )
  })
})

describe("months", () => {
  it("follow one another over the end of a year", () => {
    assert.equal(monthAfter("2026-12"), "2027-01")
    assert.equal(monthAfter("2026-01", -1), "2025-12")
    assert.equal(monthOf(at("2026-02-28T23:59:59.999Z")), "2026-02")
  })

  it("parts lie in their month and add up", () => {
    fc.assert(
      fc.property(fc.nat(1000 * 24 * HOUR), fc.nat(1000 * 24 * HOUR), (from, length) => {
        const parts = [...partsByMonth(START + from, START + from + length)]
        assert.equal(
          parts.reduce((sum, part) => sum + part.ms, 0),
          length,
        )
        assert.deepEqual(
          parts.map(part => part.month),
          [...new Set(parts.map(part => part.month))].sort(),
        )
      }),
    )
  })
})
