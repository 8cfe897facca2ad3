import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { hashOf, randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"

/** From less to more: each may do what those before it may. `operate` is what an operator may do with what others have. */
export const SCOPES = ["read", "write", "operate"] as const
export type Scope = (typeof SCOPES)[number]

/** May somebody with one scope do what needs another? */
export const allows = (has: Scope, needed: Scope): boolean => SCOPES.indexOf(has) >= SCOPES.indexOf(needed)

/** A credential for scripts, without its secret. */
export interface ApiToken {
  id: string
  user: string
  name: string
  scope: Scope
  createdAt: number
  expiresAt: number
  lastUsedAt: number | null
}

/** What tokens begin with, so that secret scanners and people know one when they see it. */
const TOKEN_PREFIX = "fzt_"
/** Most tokens a user may have. */
const MOST = 50
/** A use is written down at most so often. */
const USE_MS = 60_000

export interface ApiTokens {
  /** @returns the token, once: only its hash is stored */
  create(
    about: Pick<ApiToken, "id" | "user" | "name" | "scope" | "createdAt" | "expiresAt">,
  ): Promise<{ token: string; about: ApiToken }>
  use(token: string, now: number): Promise<ApiToken | null>
  listOf(user: string): Promise<ApiToken[]>
  revoke(user: string, id: string): Promise<boolean>
}

export function createApiTokens(redis: Redis): ApiTokens {
  const tokenKey = (hash: string) => `${PREFIX}api:${hash}`
  /** Hashes by token id. */
  const tokensOf = (user: string) => `${PREFIX}user:${user}:api`

  const parse = (hash: Record<string, string>): ApiToken | null =>
    hash.about === undefined
      ? null
      : { ...(JSON.parse(hash.about) as ApiToken), lastUsedAt: hash.usedAt ? Number(hash.usedAt) : null }

  return {
    async create(about) {
      if ((await redis.hlen(tokensOf(about.user))) >= MOST) {
        throw new ServiceError("too-many-tokens", 409, `You have ${MOST} tokens, which is the most: revoke one first.`)
      }
      const token = `${TOKEN_PREFIX}${randomToken()}`
      const hash = hashOf(token)
      await redis
        .multi()
        .hset(tokenKey(hash), "about", JSON.stringify(about))
        .pexpireat(tokenKey(hash), about.expiresAt)
        .hset(tokensOf(about.user), about.id, hash)
        .exec()
      return { token, about: { ...about, lastUsedAt: null } }
    },
    async use(token, now) {
      if (!token.startsWith(TOKEN_PREFIX)) return null
      const key = tokenKey(hashOf(token))
      const found = parse(await redis.hgetall(key))
      if (!found || found.expiresAt <= now) return null
      if (now - (found.lastUsedAt ?? 0) > USE_MS) await redis.hset(key, "usedAt", now)
      return found
    },
    async listOf(user) {
      const hashes = await redis.hgetall(tokensOf(user))
      const found = await Promise.all(
        Object.entries(hashes).map(async ([id, hash]) => ({ id, token: parse(await redis.hgetall(tokenKey(hash))) })),
      )
      const over = found.filter(one => one.token === null).map(one => one.id)
      if (over.length > 0) await redis.hdel(tokensOf(user), ...over)
      return found.flatMap(one => one.token ?? []).sort((a, b) => a.createdAt - b.createdAt)
    },
    async revoke(user, id) {
      const hash = await redis.hget(tokensOf(user), id)
      if (!hash) return false
      await redis.multi().del(tokenKey(hash)).hdel(tokensOf(user), id).exec()
      return true
    },
  }
}
