import { createHmac } from "node:crypto"
import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { hashOf, randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import type { Answer, Revoked, VncTokens } from "../vnc-tokens/vnc-tokens.ts"
import { KEY } from "../workspaces/store.ts"

const HOUR = 3_600_000
/** For how long a port can be shared, in ms. */
export const SHARE_SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const
export type ShareSpan = keyof typeof SHARE_SPANS
/** Of one workspace at a time. */
const MOST = 20
/** Characters of a share's id: the beginning of its hash, which opens nothing. */
const ID_LENGTH = 16

/** A port that whoever has its link may see. Times are milliseconds since 1970. */
export interface Share {
  id: string
  port: number
  createdAt: number
  endsAt: number
  /** How often somebody came in by its link, and when last; null: nobody has. */
  visits: number
  visitedAt: number | null
}

export interface Shares {
  /**
   * Shares a port for a while.
   * @returns the share, and the secret of its link, which is not kept
   * @throws ServiceError `not-running`, or `too-many-shares`
   */
  open(workspace: string, port: number, span: ShareSpan, now: number): Promise<{ share: Share; secret: string }>
  /** Those of a workspace that have not ended, newest first. */
  of(workspace: string): Promise<Share[]>
  /** Lets somebody in who came to a machine's port with a link. */
  enter(secret: string, workspace: string, port: string, now: number): Promise<{ answer: Answer; token: string | null }>
  /** Takes one back. @returns its tokens, of which the machine must be told; null for one that is not there */
  end(workspace: string, id: string): Promise<Revoked[] | null>
}

const SHARES = `${PREFIX}share:`
const scripts = {
  open: loadScript(new URL("lua/open.lua", import.meta.url)),
  enter: loadScript(new URL("lua/enter.lua", import.meta.url)),
}

export function createShares(redis: Redis, tokens: Pick<VncTokens, "revokeOfShare" | "keysOf">): Shares {
  const key = (hash: string) => `${SHARES}${hash}`
  const shareOf = (hash: string, fields: Record<string, string>): Share => ({
    ...{ id: hash.slice(0, ID_LENGTH), port: Number(fields.port), createdAt: Number(fields.createdAt) },
    ...{ endsAt: Number(fields.endsAt), visits: Number(fields.visits) },
    visitedAt: fields.visitedAt === undefined ? null : Number(fields.visitedAt),
  })
  return {
    async open(workspace, port, span, now) {
      const secret = randomToken()
      const [hash, endsAt] = [hashOf(secret), now + SHARE_SPANS[span]]
      const answer = await scripts.open.run(
        redis,
        [key(hash), KEY.workspace(workspace), KEY.sharesOf(workspace)],
        [hash, workspace, port, now, endsAt, MOST, SHARES],
      )
      if (answer === 0) throw new ServiceError("not-running", 409, "It is not on: start it, then share its ports.")
      if (answer !== 1) {
        throw new ServiceError("too-many-shares", 409, `It has ${MOST} shares, and may have no more: end one of them.`)
      }
      const id = hash.slice(0, ID_LENGTH)
      return { share: { id, port, createdAt: now, endsAt, visits: 0, visitedAt: null }, secret }
    },
    async of(workspace) {
      const hashes = await redis.smembers(KEY.sharesOf(workspace))
      const found = await Promise.all(hashes.map(async hash => ({ hash, fields: await redis.hgetall(key(hash)) })))
      return found
        .filter(({ fields }) => fields.endsAt !== undefined)
        .map(({ hash, fields }) => shareOf(hash, fields))
        .sort((one, other) => other.createdAt - one.createdAt)
    },
    async enter(secret, workspace, port, now) {
      // One for all who come by the link, however often: they may do the same, and lose it together.
      const token = createHmac("sha256", secret).update("token of a share").digest("base64url")
      const [hash, tokenHash] = [hashOf(secret), hashOf(token)]
      const keys = tokens.keysOf(tokenHash, { share: hash, workspace })
      const answer = (await scripts.enter.run(
        redis,
        [key(hash), keys.token, KEY.workspace(workspace), keys.ofShare, keys.ofWorkspace],
        [workspace, port, now, hash, tokenHash],
      )) as Answer
      return { answer, token: answer === 204 ? token : null }
    },
    async end(workspace, id) {
      const hashes = await redis.smembers(KEY.sharesOf(workspace))
      const hash = hashes.find(one => one.slice(0, ID_LENGTH) === id)
      if (hash === undefined || (await redis.del(key(hash))) === 0) return null
      await redis.srem(KEY.sharesOf(workspace), hash)
      return tokens.revokeOfShare(hash)
    },
  }
}
