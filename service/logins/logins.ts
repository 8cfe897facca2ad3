import type { Redis } from "ioredis"
import { hashOf, randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"

/** A signed-in browser. Only the hash of its id is stored: whoever reads the store cannot use it. */
export interface Login {
  hash: string
  user: string
  createdAt: number
  lastSeenAt: number
  /** What the browser called itself at sign-in. */
  userAgent: string
}

const use = loadScript(new URL("lua/use.lua", import.meta.url))
export const loginKey = (hash: string) => `${PREFIX}login:${hash}`
const loginsOf = (user: string) => `${PREFIX}user:${user}:logins`

/** Longest part of a browser's name for itself that is kept. */
const USER_AGENT_LENGTH = 200

export interface Logins {
  /** Begins a login with a new id, which is returned once and stored as a hash. */
  begin(user: string, userAgent: string, now: number): Promise<string>
  /** The login of an id from a cookie, used now; null when it has ended. */
  use(id: string, now: number): Promise<Login | null>
  listOf(user: string): Promise<Login[]>
  /** Ends a login; its VNC tokens are the caller's to revoke. */
  end(login: Pick<Login, "hash" | "user">): Promise<void>
}

/** @param limits ms without use, and ms in any case, after which a login ends */
export function createLogins(redis: Redis, limits: { idleMs: number; maxMs: number }): Logins {
  const parse = (hash: string, fields: (string | null | undefined)[]): Login | null => {
    const [user, createdAt, lastSeenAt, userAgent] = fields
    if (!user) return null
    const [created, seen] = [Number(createdAt), Number(lastSeenAt)]
    return { hash, user, createdAt: created, lastSeenAt: seen, userAgent: userAgent ?? "" }
  }
  const end = async ({ hash, user }: Pick<Login, "hash" | "user">) => {
    await redis.multi().del(loginKey(hash)).srem(loginsOf(user), hash).exec()
  }
  return {
    async begin(user, userAgent, now) {
      const id = randomToken()
      const hash = hashOf(id)
      const about = { user, createdAt: now, lastSeenAt: now, userAgent: userAgent.slice(0, USER_AGENT_LENGTH) }
      await redis
        .multi()
        .hset(loginKey(hash), { ...about, endsAt: now + limits.maxMs })
        .pexpire(loginKey(hash), Math.min(limits.idleMs, limits.maxMs))
        .sadd(loginsOf(user), hash)
        .exec()
      return id
    },
    async use(id, now) {
      const hash = hashOf(id)
      const fields = (await use.run(redis, [loginKey(hash)], [now, limits.idleMs])) as (string | null)[]
      return parse(hash, fields)
    },
    async listOf(user) {
      const hashes = await redis.smembers(loginsOf(user))
      const logins = await Promise.all(
        hashes.map(async hash =>
          parse(hash, await redis.hmget(loginKey(hash), "user", "createdAt", "lastSeenAt", "userAgent")),
        ),
      )
      // Those that ended by themselves are still named in the set.
      const over = hashes.filter((_, index) => logins[index] === null)
      if (over.length > 0) await redis.srem(loginsOf(user), ...over)
      return logins.filter(login => login !== null).sort((a, b) => b.lastSeenAt - a.lastSeenAt)
    },
    end,
  }
}
