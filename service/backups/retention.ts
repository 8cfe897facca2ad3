import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"

/** What is known of workspaces when snapshots are tidied up. */
export interface RetentionFacts {
  /** Is this workspace still there, running or not? Where nobody can tell, it is. */
  isLiving(workspace: string): boolean
  /** Snapshots that something is being made from. */
  inUse: ReadonlySet<string>
}

const HOUR = 3_600_000
/** A copy that failed is looked at by nobody; whoever made it may not have noticed yet. */
const BROKEN_MS = HOUR
/** No copy takes so long: its provider has forgotten it. */
export const FORGOTTEN_MS = 24 * HOUR

/**
 * Which snapshots are to be removed now. Pure; it needs nothing but the snapshots' own labels and who still lives.
 *
 * - What carries a time to keep it until goes after that time: a daily backup (FOOZOL_BACKUP_DAYS after it was made), a
 *   final snapshot (FOOZOL_FINAL_SNAPSHOT_DAYS), a safety snapshot. The time was promised when it was made; a setting
 *   that has changed since counts for new ones.
 * - What carries none stays until a person removes it: a backup that somebody asked for.
 * - The newest good backup of a living workspace stays, however old; `keptGood` says which that is.
 * - What a workspace sleeps in stays: waking it removes it. What is being made, or made from, stays.
 * - A copy that came out unusable goes after an hour, one that never comes out after a day.
 */
export function toRemove(snapshots: SnapshotFacts[], facts: RetentionFacts, now: number): SnapshotFacts[] {
  const kept = new Set(
    [...Map.groupBy(snapshots, one => one.workspace)]
      .filter(([workspace]) => facts.isLiving(workspace))
      .flatMap(([, its]) => keptGood(its).map(one => one.id)),
  )
  return snapshots.filter(one => {
    if (facts.inUse.has(one.id)) return false
    if (one.state === "creating") return now - one.createdAt > FORGOTTEN_MS
    if (one.state === "unavailable") return now - one.createdAt > BROKEN_MS
    if (one.kind === "sleep" || kept.has(one.id)) return false
    return one.keepUntil !== null && one.keepUntil < now
  })
}

/**
 * The newest good backup of a workspace, and the one to fall back on while that is not proven. Good is one whose trial
 * has not failed; where every trial failed, the newest is better than none. Pure.
 */
export function keptGood(ofWorkspace: SnapshotFacts[]): SnapshotFacts[] {
  const backups = ofWorkspace
    .filter(one => one.available && (one.kind === "backup" || one.kind === "safety"))
    .sort(newestFirst)
  const good = backups.filter(one => one.proof !== "failed")
  const [newest, before] = good
  if (!newest) return backups.slice(0, 1)
  if (newest.proof === "passed" || !before) return [newest]
  // Should the newest fail its trial, this one is there.
  return [newest, good.find(one => one.proof === "passed") ?? before]
}

/** Newest first; of one moment, the higher id is the newer where ids are numbers. */
export const newestFirst = (a: SnapshotFacts, b: SnapshotFacts) => b.createdAt - a.createdAt || byId(b.id, a.id)

/** Numbers by their value; names, which tell no order in time, at least always the same way. */
const byId = (a: string, b: string) => Number(a) - Number(b) || a.localeCompare(b)
