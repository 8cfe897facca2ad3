import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import { newestFirst } from "./retention.ts"

/**
 * The backup of a workspace that is to be tried out now; null: none. Pure. It is the newest that can be used and has
 * not failed. It is due when no trial has ended within `everyMs`, or the last one failed: then the next backup is
 * tried as soon as there is one. One that passed is tried again after that time when nothing newer has come.
 * @param snapshots of one workspace
 */
export function dueProof(snapshots: SnapshotFacts[], everyMs: number, now: number): SnapshotFacts | null {
  const backups = snapshots.filter(one => one.kind === "backup" && one.available).sort(newestFirst)
  const tried = snapshots.filter(one => one.provenAt !== null).sort((a, b) => (b.provenAt ?? 0) - (a.provenAt ?? 0))[0]
  const [newest] = backups
  if (!newest || newest.proof === "failed") return null
  if (tried?.proof === "passed" && now - (tried.provenAt ?? 0) < everyMs) return null
  return newest
}

/** When a backup of a workspace was last restored on trial with success, ms; null: never. Pure. */
export function lastProven(snapshots: SnapshotFacts[]): number | null {
  const passed = snapshots.flatMap(one => (one.proof === "passed" && one.provenAt !== null ? [one.provenAt] : []))
  return passed.length === 0 ? null : Math.max(...passed)
}
