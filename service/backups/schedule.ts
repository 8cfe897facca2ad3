import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import type { Workspace } from "../workspaces/workspace.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Between two backups, when the quiet hour has moved or somebody has made one. */
const LEAST_GAP_MS = 16 * HOUR
/** What has been in use for so long is backed up whatever its quiet hour is. */
const MOST_GAP_MS = 30 * HOUR
/** A new workspace has so long before its first one: nothing of its user's is on it yet. */
const FIRST_MS = HOUR
/** After a backup that failed: doubled each time, up to the most. */
const AGAIN_MS = 15 * 60_000
const AGAIN_MOST_MS = 4 * HOUR

/** A workspace as far as its backups are concerned. */
export interface BackupFacts extends Pick<Workspace, "id" | "state" | "snapshot" | "unsavedSince"> {
  /** Minute of the day (UTC) at which it is backed up. */
  quietMinute: number
  /** Its own snapshots. */
  snapshots: SnapshotFacts[]
  /** Tries in a row that failed, and when the last one was begun. */
  failures: number
  triedAt: number | null
}

/**
 * What the schedule does for a workspace: `backup` makes one; `keep` takes the snapshot it sleeps in for the day's
 * backup, which then outlives its waking; `since` is the moment from which it was due.
 */
export type Due = { do: "backup" | "keep"; id: string; since: number; snapshot: string | null }

/**
 * Is a backup of a workspace due? Pure. Once a day at its quiet hour; later when that was missed. A workspace whose
 * machine was on at no moment since its last backup needs none: its disk is the same. One that was hibernated since
 * then needs no new one either, since the snapshot it sleeps in holds its disk; it is kept when it wakes. A workspace
 * that is moving or failed is looked at when it has come to rest.
 */
export function dueBackup(facts: BackupFacts, now: number): Due | null {
  const { id, state, snapshot, failures, triedAt } = facts
  if (state !== "RUNNING" && state !== "IDLE" && state !== "STOPPED") return null
  const since = dueSince(facts, now)
  if (since === null) return null
  if (failures > 0 && triedAt !== null && now < triedAt + pauseAfter(failures)) return null
  if (snapshot === null) return { do: "backup", id, since, snapshot: null }
  const asleep = facts.snapshots.find(one => one.id === snapshot)
  return asleep?.available && asleep.scheduledAt === null ? { do: "keep", id, since, snapshot } : null
}

function dueSince({ unsavedSince, snapshots, quietMinute }: BackupFacts, now: number): number | null {
  if (unsavedSince === null) return null
  const last = lastBackup(snapshots)
  const slot = slotBefore(now, quietMinute)
  if (slot >= earliest(unsavedSince, last)) return slot
  const most = latest(unsavedSince, last)
  return most <= now ? most : null
}

/** A backup may be there of which nobody has heard, since the provider's answer was lost. */
const latest = (unsavedSince: number, last: number | null) => Math.max(unsavedSince, last ?? 0) + MOST_GAP_MS

const earliest = (unsavedSince: number, last: number | null) =>
  last === null ? unsavedSince + FIRST_MS : Math.max(unsavedSince, last + LEAST_GAP_MS)

/** When a workspace will be backed up next, ms; null while nothing on it has changed since the last time. Pure. */
export function nextBackup(facts: BackupFacts, now: number): number | null {
  const { unsavedSince, snapshots, quietMinute, snapshot } = facts
  // Its disk is kept where it is.
  if (unsavedSince === null || snapshot !== null) return null
  if (dueSince(facts, now) !== null) return now
  const last = lastBackup(snapshots)
  const least = Math.max(now, earliest(unsavedSince, last))
  const slot = slotBefore(least, quietMinute)
  return Math.min(slot < least ? slot + DAY : slot, latest(unsavedSince, last))
}

/** When the newest backup was made that can be used, by whomever; null: there is none. Pure. */
export function lastBackup(snapshots: SnapshotFacts[]): number | null {
  const backups = snapshots.filter(
    one => one.available && (one.kind === "backup" || (one.kind === "sleep" && one.scheduledAt !== null)),
  )
  return backups.length === 0 ? null : Math.max(...backups.map(one => Math.max(one.createdAt, one.scheduledAt ?? 0)))
}

/** The last time at which it was this minute of the day. Pure. */
export function slotBefore(now: number, minute: number): number {
  const today = Math.floor(now / DAY) * DAY + minute * 60_000
  return today <= now ? today : today - DAY
}

/** How long to wait after so many failures in a row. Pure. */
export const pauseAfter = (failures: number) => Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** (failures - 1))
