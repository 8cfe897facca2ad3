import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { USERS, userKey } from "../users/users.ts"
import { KEY } from "../workspaces/store.ts"

const scripts = {
  begin: loadScript(new URL("lua/begin.lua", import.meta.url)),
  finish: loadScript(new URL("lua/finish.lua", import.meta.url)),
}
const ENDING = `${PREFIX}users-ending`
/** Keys looked at in one step of a search. */
const SCANNED = 500

export const SNAPSHOT_WISHES = ["keep", "remove"] as const

/** How an account is to end. */
export interface Ending {
  user: string
  /** What becomes of snapshots: they stay for as long as those of deleted workspaces do, or go at once. */
  snapshots: (typeof SNAPSHOT_WISHES)[number]
  /** Milliseconds since 1970. */
  askedAt: number
}

/**
 * Accounts that are ending. Recorded is only the wish; how far it has come is seen by what is left, so that it can be
 * gone on with by anybody at any time.
 */
export interface Endings {
  /** Records the wish. From then on nobody is signed in as this user. @throws ServiceError `not-found` */
  begin(ending: Ending): Promise<void>
  all(): Promise<Ending[]>
  /** Notes a workspace that is deleted for it, so that its records can be forgotten afterwards. */
  note(user: string, workspace: string): Promise<void>
  noted(user: string): Promise<string[]>
  /** Forgets everything that is kept under the user's name, and the user last. @returns false when there is still a workspace */
  finish(user: string): Promise<boolean>
}

export function createEndings(redis: Redis): Endings {
  const notes = (user: string) => `${userKey(user)}:ended-workspaces`

  /** All keys of a user: whatever is kept for one is kept below their own key. */
  async function keysOf(user: string): Promise<string[]> {
    const found = new Set<string>()
    let cursor = "0"
    do {
      const [next, keys] = await redis.scan(cursor, "MATCH", `${userKey(user)}:*`, "COUNT", SCANNED)
      for (const key of keys) found.add(key)
      cursor = next
    } while (cursor !== "0")
    return [...found]
  }

  return {
    async begin(ending) {
      const done = await scripts.begin.run(redis, [userKey(ending.user), ENDING], [ending.user, JSON.stringify(ending)])
      if (done !== 1) throw new ServiceError("not-found", 404, "There is no such account.")
    },
    async all() {
      const users = await redis.smembers(ENDING)
      const wishes = await Promise.all(users.map(user => redis.hget(userKey(user), "ending")))
      return wishes.flatMap(text => (text ? [JSON.parse(text) as Ending] : []))
    },
    async note(user, workspace) {
      await redis.sadd(notes(user), workspace)
    },
    noted: user => redis.smembers(notes(user)),
    async finish(user) {
      const workspaces = KEY.workspacesOf(user)
      // The list of workspaces is what the last step looks at.
      const keys = (await keysOf(user)).filter(key => key !== workspaces)
      if (keys.length > 0) await redis.del(...keys)
      return (await scripts.finish.run(redis, [userKey(user), USERS, ENDING, workspaces], [user])) === 1
    },
  }
}
