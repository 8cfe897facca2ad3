/** What the service wants done with the home: `POST /machine/home-backup` tells how far it is. */
export interface HomeOrder {
  id: string
  do: "backup" | "restore"
  /** Of a backup: try out afterwards whether files come back. */
  prove: boolean
  /** Of a backup: remove afterwards what is older than so many days; null: remove nothing. */
  keepDays: number | null
  /** Which one is restored; null: the newest. */
  backup: string | null
}

/** @throws when an order makes no sense */
export function parseHomeOrder(data: Record<string, unknown>): HomeOrder {
  const { id, do: what, prove, keepDays, backup } = data
  if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) throw new Error("home-backup has no id")
  if (what !== "backup" && what !== "restore") throw new Error("home-backup says neither backup nor restore")
  if (backup !== null && (typeof backup !== "string" || !/^[0-9a-f]{64}$/.test(backup)))
    throw new Error("home-backup names no backup")
  if (keepDays !== null && !(Number.isInteger(keepDays) && Number(keepDays) > 0))
    throw new Error("home-backup has no days")
  return { id, do: what, prove: prove === true, keepDays: keepDays as number | null, backup }
}

/** What is told of an order. */
export type HomeNews =
  | { id: string; state: "going"; percent?: number }
  | { id: string; state: "failed"; reason: string }
  | ({ id: string; state: "done" } & HomeDone)

/** What has come of it. */
export interface HomeDone {
  /** Files that the backup holds, and their bytes. */
  made?: { backup: string; files: number; bytes: number }
  /** All there are now, by their whole names. */
  backups?: { id: string; at: string }[]
  proof?: HomeProof
  pruned?: boolean
}
export interface HomeProof {
  passed: boolean
  /** Files that were brought back and compared. */
  files: number
  /** Why it has not passed. */
  detail?: string
}

/** What a repository consists of, as restic calls it; `config` is a file, the others folders. */
export const FOLDERS = ["data", "index", "keys", "locks", "snapshots"] as const
export type Folder = (typeof FOLDERS)[number]
