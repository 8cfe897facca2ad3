import assert from "node:assert/strict"
import fc from "fast-check"
import type { HeldResource } from "../../../infra/machines/contract.ts"
import { AGREE_MS, GRACE_MS, gapAfter, keyOfResource, planSweep } from "../../../infra/sweep.ts"

const NOW = Date.parse("2026-03-04T05:06:07Z")
const held = (workspace: string, id: string, ageMs: number | null = 2 * GRACE_MS): HeldResource => ({
  ...{ name: "machine", type: "server", id, workspace },
  createdAt: ageMs === null ? null : new Date(NOW - ageMs),
})
const known = (...some: HeldResource[]) => new Map(some.map(one => [keyOfResource(one), NOW - AGREE_MS]))
const OTHERS = ["x", "y"].map(name => held(name, name))
/** Beside two workspaces that are wanted. */
const sweep = (
  all: HeldResource[],
  wanted: string[],
  suspects = new Map<string, number>(),
  had = ["gone", "a", "b", "c"],
) =>
  planSweep({
    ...{ held: [...all, ...OTHERS], wanted: new Set([...wanted, "x", "y"]), had: new Set(had) },
    ...{ suspects, now: NOW },
  })

describe("sweep/planSweep", () => {
  const orphan = held("gone", "1")

  it("spares what has a workspace, and does not remember it", () => {
    const { remove, suspects } = sweep([orphan], ["gone"], known(orphan))
    assert.deepEqual([remove, suspects.size], [[], 0])
  })
  it("only remembers what it finds for the first time", () => {
    const { remove, suspects } = sweep([orphan], [])
    assert.deepEqual([remove, [...suspects]], [[], [["server/1", NOW]]])
  })
  it("removes what two looks have found", () => {
    assert.deepEqual(sweep([orphan], [], known(orphan)).remove, [orphan])
  })
  it("forgets what had a workspace in between", () => {
    const between = sweep([orphan], ["gone"], known(orphan))
    assert.deepEqual(sweep([orphan], [], between.suspects).remove, [])
  })
  it("two looks in one moment are one", () => {
    assert.deepEqual(sweep([orphan], [], new Map([["server/1", NOW - AGREE_MS + 1]])).remove, [])
  })
  it("spares what may be of a creation that is under way", () => {
    const young = held("gone", "1", GRACE_MS - 1)
    assert.deepEqual(sweep([young], [], known(young)).remove, [])
  })
  it("takes what has no date for as old as it is known", () => {
    const record = held("gone", "1", null)
    assert.deepEqual(sweep([record], [], known(record)).remove, [])
    assert.deepEqual(sweep([record], [], new Map([["server/1", NOW - GRACE_MS]])).remove, [record])
  })
  it("removes nothing where so many would go that the list must be wrong", () => {
    const all = ["a", "b", "c"].map((name, at) => held(name, String(at)))
    const { remove, tooMany } = sweep(all, [], known(...all))
    assert.deepEqual([remove, tooMany], [[], all])
    assert.deepEqual(sweep(all, ["a"], known(...all)).remove, all.slice(1))
  })

  it("comes each minute, and less often where a look takes many requests", () => {
    assert.equal(gapAfter(6 * 100), 60_000)
    assert.ok(gapAfter(6 * 1_000) > 6 * 60_000)
  })
  it("removes nothing where nothing would be left", () => {
    const wanted = new Set<string>()
    const facts = { held: [orphan], wanted, had: new Set(["gone"]), suspects: known(orphan), now: NOW }
    assert.deepEqual([planSweep(facts).remove, planSweep(facts).tooMany], [[], [orphan]])
  })
  it("removes nothing where nothing has a workspace, though only some of it is known to have been ours", () => {
    const facts = { held: [orphan, ...OTHERS], wanted: new Set<string>(), had: new Set(["gone"]), now: NOW }
    const { remove, tooMany } = planSweep({ ...facts, suspects: known(orphan, ...OTHERS) })
    assert.deepEqual([remove, tooMany], [[], [orphan]])
  })
  it("leaves alone what was never this service's, and tells of it", () => {
    const { remove, foreign } = sweep([orphan], [], known(orphan), ["another"])
    assert.deepEqual([remove, foreign], [[], [orphan]])
  })

  it("whatever comes and goes: nothing wanted is removed, nor anything that was wanted at the look before", () => {
    const names = ["a", "b", "c", "d", "e"]
    const look = fc.record({
      wanted: fc.subarray(names),
      present: fc.subarray(names),
      passed: fc.integer({ min: 0, max: 2 * GRACE_MS }),
    })
    fc.assert(
      fc.property(fc.array(look, { maxLength: 12 }), looks => {
        let now = NOW
        let suspects: ReadonlyMap<string, number> = new Map()
        let before: string[] = names
        for (const { wanted, present, passed } of looks) {
          now += passed
          const all = present.map(name => held(name, name))
          const found = planSweep({ held: all, wanted: new Set(wanted), had: new Set(names), suspects, now })
          for (const { workspace } of [...found.remove, ...found.tooMany]) {
            assert.ok(!wanted.includes(workspace))
            assert.ok(!before.includes(workspace))
          }
          suspects = found.suspects
          before = wanted
        }
      }),
    )
  })
})
