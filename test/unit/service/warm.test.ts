import assert from "node:assert/strict"
import fc from "fast-check"
import { type PoolFacts, planPool, type SpareFacts } from "../../../service/warm/plan.ts"
import { keyOfKind, type WarmKind } from "../../../service/warm/settings.ts"
import { STATES } from "../../../service/workspaces/transitions.ts"

const HOUR = 3_600_000
const NOW = 100 * HOUR
const EUR = { currency: "EUR", hourly: 0.01, monthly: 5 }
const kind = (more: Partial<WarmKind> = {}): WarmKind => ({
  ...{ provider: "hetzner", region: "fsn1", sizeClass: "small", profile: "browser", count: 2 },
  ...{ most: more.count ?? 2 },
  ...more,
})
let made = 0
const spare = (more: Partial<SpareFacts> = {}): SpareFacts => {
  const { count: _, most: __, ...place } = kind()
  return {
    ...{ id: `spare-${made++}`, ...place, state: "RUNNING", epoch: 3, isBusy: false, isCurrent: true },
    ...{ createdAt: NOW - HOUR, price: EUR },
    ...more,
  }
}
const facts = (more: Partial<PoolFacts> = {}, settings: Partial<PoolFacts["settings"]> = {}): PoolFacts => ({
  settings: { kinds: [kind()], monthly: 100, maxAgeMs: 72 * HOUR, ...settings },
  ...{ spares: [], prices: new Map([[keyOfKind(kind()), EUR]]), waiting: new Set(), giving: new Set() },
  ...{ isNameWanted: false, demand: new Map(), atOnce: 4, now: NOW },
  ...more,
})
const whys = (given: PoolFacts) => planPool(given).remove.map(one => `${one.id} ${one.why}`)

describe("which spare machines are kept", () => {
  it("as many as the settings say, with those that are on their way", () => {
    assert.equal(planPool(facts()).make.length, 2)
    const one = spare({ state: "PROVISIONING", isBusy: true })
    assert.deepEqual(planPool(facts({ spares: [one] })), { remove: [], make: [kind()] })
    assert.deepEqual(planPool(facts({ spares: [one, spare()] })), { remove: [], make: [] })
  })
  it("as many as are asked for, between the least and the most", () => {
    const [least, most] = [1, 3]
    for (const [asked, wanted] of [
      [0, 1],
      [2, 2],
      [9, 3],
    ] as const) {
      const kinds = [kind({ count: least, most })]
      const demand = new Map([[keyOfKind(kind()), asked]])
      const all = [spare(), spare(), spare(), spare()]
      assert.equal(planPool(facts({ demand }, { kinds })).make.length, wanted)
      assert.equal(planPool(facts({ demand, spares: all }, { kinds })).remove.length, 4 - wanted)
    }
  })
  it("none while they may cost nothing, or cannot be had, or did not come to be, or people find no room", () => {
    assert.deepEqual(planPool(facts({}, { monthly: 0 })).make, [])
    assert.deepEqual(planPool(facts({ prices: new Map() })).make, [])
    assert.deepEqual(planPool(facts({ waiting: new Set([keyOfKind(kind())]) })).make, [])
    assert.deepEqual(planPool(facts({ isNameWanted: true })).make, [])
    const there = spare()
    assert.deepEqual(whys(facts({ spares: [there], giving: new Set(["hetzner"]) })), [`${there.id} room`])
    assert.deepEqual(planPool(facts({ giving: new Set(["hetzner"]) })).make, [])
  })
  it("only while there is money for them, whatever those cost that are leaving", () => {
    assert.equal(planPool(facts({}, { monthly: 9 })).make.length, 1)
    const leaving = spare({ state: "TERMINATING", isBusy: true })
    assert.deepEqual(planPool(facts({ spares: [leaving] }, { monthly: 9 })).make, [])
    const [old, young] = [spare({ createdAt: NOW - 2 * HOUR }), spare()]
    assert.deepEqual(whys(facts({ spares: [young, old] }, { monthly: 6 })), [`${old.id} ceiling`])
  })
  it("not what failed or was switched off, is of an earlier image, too old, or not wanted any more", () => {
    const all = [
      spare({ state: "FAILED" }),
      spare({ state: "STOPPED" }),
      spare({ isCurrent: false }),
      spare({ createdAt: NOW - 73 * HOUR }),
      spare({ region: "nbg1" }),
    ]
    const found = whys(facts({ spares: all, atOnce: 9 })).sort()
    assert.deepEqual(
      found,
      ["failed", "failed", "image", "old", "not-wanted"].map((why, at) => `${all[at]?.id} ${why}`).sort(),
    )
    // Something goes on: it is looked at again.
    assert.deepEqual(whys(facts({ spares: [spare({ isCurrent: false, isBusy: true })] })), [])
  })
  it("what lacks most of its share is made first", () => {
    const other = kind({ profile: "desktop", count: 4 })
    const prices = new Map([kind(), other].map(one => [keyOfKind(one), EUR] as const))
    const make = planPool(facts({ spares: [spare()], prices, atOnce: 3 }, { kinds: [kind(), other] })).make
    assert.deepEqual(
      make.map(one => one.profile),
      ["desktop", "desktop", "browser"],
    )
  })
  it("never cost more than they may, and are never begun beyond what may go on at once, whatever there is", () => {
    const some = fc.array(
      fc.record({
        state: fc.constantFrom(...STATES.filter(one => one !== "TERMINATED")),
        isBusy: fc.boolean(),
        isCurrent: fc.boolean(),
        createdAt: fc.integer({ min: 0, max: NOW }),
        region: fc.constantFrom("fsn1", "nbg1"),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 }), (given, monthly, atOnce) => {
        const spares = given.map(spare)
        const { make, remove } = planPool(facts({ spares, atOnce }, { monthly, kinds: [kind({ count: 8 })] }))
        const cost = (spares.length + make.length) * EUR.monthly
        assert.ok(make.length === 0 || cost <= monthly)
        const going = spares.filter(one => one.isBusy || one.state === "TERMINATING").length
        assert.ok(make.length + remove.length <= Math.max(0, atOnce - going))
        assert.equal(new Set(remove.map(one => one.id)).size, remove.length)
      }),
    )
  })
})
