import assert from "node:assert/strict"
import fc from "fast-check"
import { dueProof, lastProven } from "../../../service/backups/proofs.ts"
import { type BackupFacts, dueBackup, nextBackup, pauseAfter } from "../../../service/backups/schedule.ts"
import { snapshotOf } from "../../support/snapshot-facts.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Noon of some day. */
const NOON = 1_000 * DAY + 12 * HOUR
const AT_THREE = 3 * 60
const backupAt = (createdAt: number) => snapshotOf({ id: String(createdAt), createdAt })
const facts = (given: Partial<BackupFacts> = {}): BackupFacts => ({
  ...{ id: "otter", state: "RUNNING", snapshot: null, unsavedSince: NOON, quietMinute: AT_THREE },
  ...{ snapshots: [], failures: 0, triedAt: null },
  ...given,
})
const three = NOON + 15 * HOUR

describe("schedule of backups", () => {
  it("comes at the quiet hour, once a day, and later where that was missed", () => {
    assert.equal(dueBackup(facts(), three - 1), null)
    assert.deepEqual(dueBackup(facts(), three), { do: "backup", id: "otter", since: three, snapshot: null })
    assert.equal(dueBackup(facts(), three + 5 * HOUR)?.since, three)
    const made = facts({ snapshots: [backupAt(three + MINUTE)], unsavedSince: three + MINUTE })
    assert.equal(dueBackup(made, three + 23 * HOUR), null)
    assert.equal(dueBackup(made, three + DAY)?.since, three + DAY)
  })

  it("leaves alone what was not on since its last backup, and a machine that is off is backed up once", () => {
    assert.equal(dueBackup(facts({ state: "STOPPED", unsavedSince: null }), three + 9 * DAY), null)
    assert.equal(dueBackup(facts({ state: "STOPPED" }), three)?.do, "backup")
  })

  it("takes the snapshot that a workspace sleeps in for the day's backup, once", () => {
    const asleep = facts({ state: "STOPPED", snapshot: "7", snapshots: [snapshotOf({ id: "7", kind: "sleep" })] })
    assert.deepEqual(dueBackup(asleep, three), { do: "keep", id: "otter", since: three, snapshot: "7" })
    const kept = [snapshotOf({ id: "7", kind: "sleep", scheduledAt: three })]
    assert.equal(dueBackup({ ...asleep, snapshots: kept }, three + DAY), null)
    const unproven = [snapshotOf({ id: "7", kind: "sleep", state: "creating" })]
    assert.equal(dueBackup({ ...asleep, snapshots: unproven }, three), null)
  })

  it("leaves a workspace alone that is moving, failed or going", () => {
    for (const state of ["PROVISIONING", "STARTING", "STOPPING", "FAILED", "TERMINATING", "TERMINATED"] as const)
      assert.equal(dueBackup(facts({ state }), three + DAY), null, state)
  })

  it("waits after a failure, longer each time, and then tries again", () => {
    const failed = facts({ failures: 2, triedAt: three })
    assert.equal(dueBackup(failed, three + 29 * MINUTE), null)
    assert.equal(dueBackup(failed, three + 30 * MINUTE)?.do, "backup")
    assert.equal(pauseAfter(20), 4 * HOUR)
  })

  it("a person's backup in the evening is that night's; what is in use is never left alone for long", () => {
    const made = facts({ snapshots: [backupAt(three - 8 * HOUR)], unsavedSince: three - 8 * HOUR })
    assert.equal(dueBackup(made, three), null)
    assert.ok(dueBackup(made, three + 22 * HOUR))
  })

  it("a backup of which nobody has heard, since the provider's answer was lost, counts as one", () => {
    const made = facts({ snapshots: [backupAt(three)], unsavedSince: NOON })
    assert.equal(dueBackup(made, three + 20 * HOUR), null)
    assert.equal(dueBackup(made, three + DAY)?.since, three + DAY)
  })

  const moment = fc.integer({ min: 0, max: 10 * 24 * 60 }).map(minutes => NOON + minutes * MINUTE)
  const minute = fc.integer({ min: 0, max: 1439 })

  it("whatever its hours: in use, it is backed up every 16 to 40 hours, however its quiet hour moves", () => {
    fc.assert(
      fc.property(
        fc.array(minute, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 5, max: 60 }),
        (minutes, step) => {
          let [last, unsavedSince] = [null as number | null, NOON]
          const made: number[] = []
          for (let now = NOON; now < NOON + 12 * DAY; now += step * MINUTE) {
            const quietMinute = minutes[Math.floor((now - NOON) / DAY) % minutes.length] ?? 0
            const snapshots = last === null ? [] : [backupAt(last)]
            if (!dueBackup(facts({ quietMinute, snapshots, unsavedSince }), now)) continue
            made.push(now)
            last = now
            unsavedSince = now
          }
          for (const [place, at] of made.entries()) {
            const before = made[place - 1]
            if (before === undefined) continue
            const hours = (at - before) / HOUR
            assert.ok(hours >= 16 - 1e-9 && hours <= 30 + step / 60, `${hours} h`)
          }
          assert.ok(made.length >= 9, String(made.length))
        },
      ),
      { numRuns: 300 },
    )
  })

  it("whatever the facts: what is told as the next time is when it becomes due, if nothing changes", () => {
    fc.assert(
      fc.property(moment, minute, fc.option(fc.integer({ min: 0, max: 72 })), (now, quietMinute, hours) => {
        const snapshots = hours === null ? [] : [backupAt(now - hours * HOUR)]
        const unsavedSince = now - (hours ?? 3) * HOUR
        const its = facts({ snapshots, unsavedSince, quietMinute })
        const next = nextBackup(its, now)
        assert.ok(next !== null && next >= now)
        assert.ok(dueBackup(its, next), "it is due then")
        if (next > now) assert.equal(dueBackup(its, next - 1), null, "and not before")
      }),
      { numRuns: 2_000 },
    )
  })
})

describe("trials of backups", () => {
  const week = 7 * DAY
  it("the newest is tried when none was for a week, and at once after one that failed", () => {
    const [old, young] = [backupAt(NOON - 2 * DAY), backupAt(NOON - DAY)]
    assert.equal(dueProof([old, young], week, NOON)?.id, young.id)
    const tried = (proof: "passed" | "failed", daysAgo: number) => ({ ...old, proof, provenAt: NOON - daysAgo * DAY })
    assert.equal(dueProof([tried("passed", 6), young], week, NOON), null)
    assert.equal(dueProof([tried("passed", 8), young], week, NOON)?.id, young.id)
    assert.equal(dueProof([tried("failed", 1), young], week, NOON)?.id, young.id)
    assert.equal(dueProof([tried("failed", 1)], week, NOON), null, "not the same one again")
    assert.equal(dueProof([tried("passed", 6)], week, NOON), null)
    assert.equal(dueProof([tried("passed", 8)], week, NOON)?.id, old.id, "again, when nothing newer has come")
    assert.equal(lastProven([tried("passed", 6), young]), NOON - 6 * DAY)
    assert.equal(lastProven([tried("failed", 6)]), null)
  })
  it("what is not a backup, or cannot be used, is not tried", () => {
    for (const given of [{ kind: "sleep" }, { kind: "safety" }, { kind: "final" }, { state: "creating" }] as const)
      assert.equal(dueProof([snapshotOf({ id: "1", ...given })], week, NOON), null)
  })
})
