import { pauseAfter } from "../backups/schedule.ts"
import type { HomeRecord } from "./records.ts"

/** A new workspace has so long before its first one: nothing of its user's is on it yet. */
const FIRST_MS = 3_600_000
/** Between two times that what is older is removed: each reads the whole index. */
const PRUNE_MS = 7 * 24 * 3_600_000
/** A machine that is connected and speaks of its work no more has lost it. */
const SILENT_MS = 10 * 60_000

/** Is a backup of this home due by the clock? Pure. @param record null: there is none yet */
export function isHomeDue(
  record: HomeRecord | null,
  { createdAt, everyMs, now }: { createdAt: number; everyMs: number; now: number },
): boolean {
  if (record?.run) return false
  const failure = record?.failure?.do === "backup" ? record.failure : null
  if (failure && now < failure.at + pauseAfter(failure.times)) return false
  const last = record?.backups[0]?.at ?? null
  return now >= (last === null ? createdAt + Math.min(FIRST_MS, everyMs) : last + everyMs)
}

/** What is done along with a backup. Pure. */
export function alongWith(
  record: HomeRecord,
  { proofEveryMs, keepDays, now }: { proofEveryMs: number; keepDays: number; now: number },
) {
  const isNew = record.backups.length === 0
  const prunes = !isNew && now >= (record.prunedAt ?? 0) + PRUNE_MS
  return {
    // What has not passed is tried again each time.
    prove: !record.proof?.passed || now >= record.proof.at + proofEveryMs,
    keepDays: prunes ? keepDays : null,
  }
}

/** Has its machine, which is connected, let go of it? Pure. @param connectedAt since when it is connected */
export function isLost({ run }: HomeRecord, connectedAt: number, now: number): boolean {
  return run !== null && now - Math.max(run.heardAt ?? 0, run.askedAt, connectedAt) > SILENT_MS
}
