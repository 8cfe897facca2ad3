import type { Redis } from "ioredis"
import { notFound } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { keysLike } from "../redis/keys-like.ts"
import { loadScript } from "../redis/scripts.ts"
import { userKey } from "../users/users.ts"

const putScript = loadScript(new URL("lua/put.lua", import.meta.url))

/** One backup of a home, as its machine tells of it. */
export interface HomeBackup {
  /** restic's name of it, 64 hex digits. */
  id: string
  /** Times are milliseconds since 1970. */
  at: number
  /** Of the files in it; null: not known any more. */
  bytes: number | null
  files: number | null
}

/** What a machine is to do with the home; it stands until it is answered. */
export interface HomeRun {
  id: string
  do: "backup" | "restore"
  prove: boolean
  keepDays: number | null
  /** Of a restore: whose home backups, and which one; null: the newest. */
  from: string | null
  backup: string | null
  askedAt: number
  /** When the machine spoke of it last, and how far it was; null: not yet, or it cannot tell. */
  heardAt: number | null
  percent: number | null
}

/** The home backups of one workspace, which may be deleted by now. */
export interface HomeRecord {
  workspace: string
  /** What its owner called it when it was deleted; null: it is there. */
  deletedName: string | null
  /** The repository's password, sealed. */
  sealed: string
  /** The sealing that lies in the storage too, beside the repository. */
  kept: string | null
  /** Newest first. */
  backups: HomeBackup[]
  /** Bytes in the storage. */
  stored: number | null
  proof: { at: number; passed: boolean; files: number; detail: string | null } | null
  prunedAt: number | null
  run: HomeRun | null
  /** When a home was put over that of the workspace last. */
  restoredAt: number | null
  /** The last work has failed, so many times in a row. */
  failure: { do: HomeRun["do"]; message: string; at: number; times: number } | null
  /** Of a deleted workspace: removed then. */
  keepUntil: number | null
}

/** The hash of one user: workspace -> record. Below the user's own prefix, so that it ends with the account. */
export const homeBackupsKey = (user: string) => `${userKey(user)}:home-backups`
export const HOME_BACKUPS_PATTERN = `${PREFIX}user:*:home-backups`
/** What a repository's password is bound to. */
export const homeContext = (key: string, workspace: string) => `home-backup ${key} ${workspace}`

export type HomeRecords = ReturnType<typeof createHomeRecords>

export function createHomeRecords(redis: Redis) {
  const read = async (user: string, workspace: string) => {
    const text = await redis.hget(homeBackupsKey(user), workspace)
    return { text: text ?? "", record: text === null ? null : (JSON.parse(text) as HomeRecord) }
  }
  return {
    get: async (user: string, workspace: string) => (await read(user, workspace)).record,
    async ofUser(user: string): Promise<HomeRecord[]> {
      return Object.values(await redis.hgetall(homeBackupsKey(user))).map(text => JSON.parse(text) as HomeRecord)
    },
    /** Users that have some. */
    async *users(): AsyncGenerator<string> {
      for await (const key of keysLike(redis, HOME_BACKUPS_PATTERN)) {
        yield key.slice(userKey("").length, -":home-backups".length)
      }
    },
    /**
     * Changes a record in one step.
     * @param change what it shall be, asked again where another was faster; null removes it, undefined leaves it
     * @returns what it is then
     * @throws ServiceError `not-found` where the user is gone
     */
    async change(
      user: string,
      workspace: string,
      change: (before: HomeRecord | null) => HomeRecord | null | undefined,
    ): Promise<HomeRecord | null> {
      for (;;) {
        const { text, record } = await read(user, workspace)
        const after = change(record)
        if (after === undefined) return record
        const now = after === null ? "" : JSON.stringify(after)
        if (now === text) return record
        const word = await putScript.run(redis, [homeBackupsKey(user), userKey(user)], [workspace, text, now])
        if (word === "gone") throw notFound("user")
        if (word === "put") return after
      }
    },
  }
}
