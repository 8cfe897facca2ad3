import assert from "node:assert/strict"
import fc from "fast-check"
import { PROOFS, SNAPSHOT_KINDS, type SnapshotFacts } from "../../../infra/machines/snapshots.ts"
import { keptGood, toRemove } from "../../../service/backups/retention.ts"
import { snapshotOf } from "../../support/snapshot-facts.ts"

const DAY = 24 * 3_600_000
const NOW = 100 * DAY
const alive = { isLiving: () => true, inUse: new Set<string>() }
const dead = { ...alive, isLiving: () => false }
const ids = (found: SnapshotFacts[]) => found.map(one => one.id).sort()
/** Daily backups, the newest made a day ago, each kept for a week. */
const dailies = (count: number) =>
  Array.from({ length: count }, (_, day) => {
    const createdAt = NOW - (day + 1) * DAY
    return snapshotOf({ id: String(100 - day), createdAt, scheduledAt: createdAt, keepUntil: createdAt + 7 * DAY })
  })

describe("retention of snapshots", () => {
  it("a week of daily backups stays, older ones go", () => {
    assert.deepEqual(ids(toRemove(dailies(10), alive, NOW + 1)), ["91", "92", "93", "94"])
  })

  it("the newest good one of a living workspace stays, and the one to fall back on until it is proven", () => {
    const late = NOW + 30 * DAY
    assert.deepEqual(ids(toRemove(dailies(3), alive, late)), ["98"])
    const proven = dailies(3).map((one, at) => (at === 0 ? { ...one, proof: "passed" as const } : one))
    assert.deepEqual(ids(toRemove(proven, alive, late)), ["98", "99"])
    const older = dailies(4).map((one, at) => (at === 3 ? { ...one, proof: "passed" as const } : one))
    assert.deepEqual(ids(toRemove(older, alive, late)), ["98", "99"], "the proven one is the one to fall back on")
    const failed = dailies(3).map((one, at) => (at === 0 ? { ...one, proof: "failed" as const } : one))
    assert.deepEqual(ids(toRemove(failed, alive, late)), ["100"])
    const allFailed = dailies(3).map(one => ({ ...one, proof: "failed" as const }))
    assert.deepEqual(ids(toRemove(allFailed, alive, late)), ["98", "99"], "the newest is better than none")
  })

  it("of a deleted workspace everything goes in its time, but what a person asked for", () => {
    const its = [
      ...dailies(2),
      snapshotOf({ id: "1", createdAt: NOW - 50 * DAY, description: "before the weekend" }),
      snapshotOf({ id: "2", kind: "final", createdAt: NOW, keepUntil: NOW + 30 * DAY }),
    ]
    assert.deepEqual(ids(toRemove(its, dead, NOW + 29 * DAY)), ["100", "99"])
    assert.deepEqual(ids(toRemove(its, dead, NOW + 31 * DAY)), ["100", "2", "99"])
  })

  it("nothing that is being made, made from or slept in goes; a copy that failed goes after an hour", () => {
    const old = { createdAt: 0, keepUntil: 1 }
    const its = [
      snapshotOf({ id: "1", state: "creating", ...old, createdAt: NOW - DAY }),
      snapshotOf({ id: "6", state: "creating", ...old, createdAt: NOW - DAY - 1 }),
      snapshotOf({ id: "2", ...old, kind: "safety" }),
      snapshotOf({ id: "3", ...old, kind: "sleep" }),
      snapshotOf({ id: "4", state: "unavailable", createdAt: NOW - 59 * 60_000 }),
      snapshotOf({ id: "5", state: "unavailable", createdAt: NOW - 61 * 60_000 }),
    ]
    assert.deepEqual(ids(toRemove(its, { ...dead, inUse: new Set(["2"]) }, NOW)), ["5", "6"])
    assert.deepEqual(ids(toRemove(its, dead, NOW)), ["2", "5", "6"])
  })

  const snapshot = fc.record({
    id: fc.nat(1_000_000).map(String),
    workspace: fc.constantFrom("a", "b", "c"),
    kind: fc.constantFrom(...SNAPSHOT_KINDS),
    createdAt: fc.integer({ min: 0, max: 120 }).map(day => day * DAY),
    keepUntil: fc.option(fc.integer({ min: 0, max: 120 }).map(day => day * DAY)),
    state: fc.constantFrom("available" as const, "creating" as const, "unavailable" as const),
    proof: fc.option(fc.constantFrom(...PROOFS)),
  })
  const many = fc.uniqueArray(snapshot.map(snapshotOf), { selector: one => one.id, maxLength: 40 })

  it("whatever there is: a living workspace never loses its newest good backup, nor anything its promised time", () => {
    fc.assert(
      fc.property(many, fc.integer({ min: 0, max: 200 }), (all, day) => {
        const now = day * DAY
        const gone = new Set(ids(toRemove(all, { isLiving: one => one !== "c", inUse: new Set() }, now)))
        for (const workspace of ["a", "b"]) {
          const its = all.filter(one => one.workspace === workspace && one.available)
          const good = its.filter(one => (one.kind === "backup" || one.kind === "safety") && one.proof !== "failed")
          const newest = Math.max(...good.map(one => one.createdAt))
          if (good.length > 0) {
            assert.ok(
              good.some(one => one.createdAt === newest && !gone.has(one.id)),
              "the newest good one is there",
            )
          }
          const left = its.filter(one => !gone.has(one.id))
          const proven = good.some(one => one.createdAt === newest && one.proof === "passed")
          if (good.length > 1 && !proven) assert.ok(left.length > 1, "one to fall back on is there")
        }
        for (const one of all) {
          if (!gone.has(one.id) || one.state !== "available") continue
          assert.ok(one.keepUntil !== null && one.keepUntil < now, "nothing goes before its time")
          assert.notEqual(one.kind, "sleep")
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it("whatever there is: removing twice removes nothing more, and no more than two outlive their time", () => {
    fc.assert(
      fc.property(many, fc.integer({ min: 0, max: 200 }), (all, day) => {
        const now = day * DAY
        const gone = new Set(ids(toRemove(all, alive, now)))
        const left = all.filter(one => !gone.has(one.id))
        assert.deepEqual(toRemove(left, alive, now), [])
        for (const [, its] of Map.groupBy(left, one => one.workspace)) {
          const over = its.filter(
            one => one.available && one.kind !== "sleep" && one.keepUntil !== null && one.keepUntil < now,
          )
          assert.ok(over.length <= 2, ids(over).join())
          assert.ok(keptGood(its).length <= 2)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
