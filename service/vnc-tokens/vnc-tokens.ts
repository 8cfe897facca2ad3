import type { Redis } from "ioredis"
import { hashOf, randomToken } from "../keys.ts"
import { loginKey } from "../logins/logins.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { together } from "../redis/together.ts"
import { KEY } from "../workspaces/store.ts"
import { createTokenUses } from "./uses.ts"

/** Seconds an entry ticket is good for, once. */
const TICKET_S = 60
/** Milliseconds a VNC token is good for after its last use. */
const TOKEN_MS = 30 * 60_000
/**
 * A use is written down at most so often; a token may end that much earlier. With 10,000 tokens in use Redis would
 * otherwise wait for its disk so often that one question in fifty is late.
 */
const USE_MS = 5 * 60_000

/** Questions in one: Redis does nothing else meanwhile, some 5 µs for each. */
const AT_ONCE = 100

/** May the holder of a token, by its key in Redis, onto this workspace's machine, to its desktop or to one port? */
interface Question {
  key: string
  workspace: string
  port: string
  now: number
}

const scripts = {
  authorize: loadScript(new URL("lua/authorize.lua", import.meta.url)),
  redeem: loadScript(new URL("lua/redeem.lua", import.meta.url)),
  revoke: loadScript(new URL("lua/revoke.lua", import.meta.url)),
}
const ticketKey = (hash: string) => `${PREFIX}ticket:${hash}`
const TOKENS = `${PREFIX}vnc:`
const TOKEN_SETS = `${PREFIX}vnc-of:`
const SHARES = `${PREFIX}share:`
const LOGINS = loginKey("")

/** What a machine is answered: admitted, no (valid) token, or another's. */
export type Answer = 204 | 401 | 403

/** A token that was taken back, as its machine must be told. */
export interface Revoked {
  workspace: string
  tokenHash: string
}

export interface VncTokens {
  /**
   * A ticket that lets the holder of a login onto a workspace's machine once, within 60 s.
   * @param port to this port alone, and not to the desktop
   */
  issueTicket(workspace: string, loginHash: string, port?: number): Promise<string>
  /** Trades a ticket that came to a workspace's machine for a token. @param port to which it came; "" for the desktop */
  redeem(
    ticket: string,
    workspace: string,
    now: number,
    port?: string,
  ): Promise<{ answer: Answer; token: string | null }>
  /** May the holder of this token onto this workspace's machine, or to its port? One round trip to Redis. */
  authorize(token: string, workspace: string, now: number, port?: string): Promise<Answer>
  revokeOfLogin(loginHash: string): Promise<Revoked[]>
  /** Its shares end too. */
  revokeOfWorkspace(workspace: string): Promise<Revoked[]>
  revokeOfShare(shareHash: string): Promise<Revoked[]>
  /** Where a token of a share is kept, and the sets by which it is taken back. */
  keysOf(
    tokenHash: string,
    of: { share: string; workspace: string },
  ): { token: string; ofShare: string; ofWorkspace: string }
}

/**
 * @param idleMs how long a login may be unused; watching a desktop is using it
 * @param clock ms, for what is written down later
 */
export function createVncTokens(redis: Redis, idleMs: number, clock: () => number = Date.now): VncTokens {
  const uses = createTokenUses(redis, { tokenMs: TOKEN_MS, idleMs }, clock)
  const ask = together<Question, Answer | string>(AT_ONCE, async questions => {
    const keys = questions.flatMap(one => [one.key, KEY.workspace(one.workspace)])
    const now = questions[0]?.now ?? 0
    const about = questions.flatMap(one => [one.workspace, one.port])
    return (await scripts.authorize.run(redis, keys, [now, LOGINS, USE_MS, SHARES, ...about])) as (Answer | string)[]
  })

  async function revoke(set: string, ...shares: string[]): Promise<Revoked[]> {
    const flat = (await scripts.revoke.run(redis, [`${TOKEN_SETS}${set}`, ...shares], [TOKENS, SHARES])) as string[]
    return flat.flatMap((workspace, index) =>
      index % 2 === 0 ? [{ workspace, tokenHash: flat[index + 1] as string }] : [],
    )
  }
  return {
    async issueTicket(workspace, loginHash, port) {
      const ticket = randomToken()
      const value = [workspace, loginHash, ...(port === undefined ? [] : [port])].join(" ")
      await redis.set(ticketKey(hashOf(ticket)), value, "EX", TICKET_S)
      return ticket
    },
    async redeem(ticket, workspace, now, port = "") {
      const token = randomToken()
      const hash = hashOf(token)
      const answer = (await scripts.redeem.run(
        redis,
        [ticketKey(hashOf(ticket)), `${TOKENS}${hash}`, KEY.workspace(workspace)],
        [workspace, now, TOKEN_MS, LOGINS, hash, TOKEN_SETS, port],
      )) as Answer
      return { answer, token: answer === 204 ? token : null }
    },
    async authorize(token, workspace, now, port = "") {
      const key = `${TOKENS}${hashOf(token)}`
      const answer = await ask({ key, workspace, port, now })
      if (typeof answer !== "string") return answer
      uses.note(key, loginKey(answer))
      return 204
    },
    revokeOfLogin: hash => revoke(`login:${hash}`),
    revokeOfWorkspace: id => revoke(`ws:${id}`, KEY.sharesOf(id)),
    revokeOfShare: hash => revoke(`share:${hash}`),
    keysOf: (hash, { share, workspace }) => ({
      token: `${TOKENS}${hash}`,
      ofShare: `${TOKEN_SETS}share:${share}`,
      ofWorkspace: `${TOKEN_SETS}ws:${workspace}`,
    }),
  }
}
