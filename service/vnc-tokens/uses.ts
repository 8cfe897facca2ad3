import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import { loadScript } from "../redis/scripts.ts"

/** Uses are gathered for so long: Redis waits for its disk at every write, and everybody with it. */
const GATHER_MS = 5_000
/** Tokens in one write: Redis does nothing else meanwhile, some 2 ms with its disk. */
const AT_ONCE = 100
/** Between two writes, so that those who ask at a door are served between them. */
const PAUSE_MS = 50

const touch = loadScript(new URL("lua/touch.lua", import.meta.url))

/** Writes down uses of tokens some time later, many at a time. What is lost with the process, the next use repeats. */
export interface TokenUses {
  /** @param login key of the token's login */
  note(tokenKey: string, login: string): void
}

/**
 * @param life what a token and an unused login have left after a use, in ms
 * @param now clock in ms
 */
export function createTokenUses(redis: Redis, life: { tokenMs: number; idleMs: number }, now: () => number): TokenUses {
  let used = new Map<string, string>()

  async function write(): Promise<void> {
    // Those of one login stand together, so that it is written once.
    const all = [...used].sort(([, a], [, b]) => (a < b ? -1 : 1))
    used = new Map()
    for (let begin = 0; begin < all.length; begin += AT_ONCE) {
      if (begin > 0) await sleep(PAUSE_MS, undefined, { ref: false })
      const some = all.slice(begin, begin + AT_ONCE)
      const tokens = some.map(([token]) => token)
      const logins = new Set(some.map(([, login]) => login))
      await touch.run(redis, [...tokens, ...logins], [now(), life.tokenMs, life.idleMs, tokens.length])
    }
  }
  return {
    note(tokenKey, login) {
      if (used.size === 0) setTimeout(() => void write().catch(() => {}), GATHER_MS).unref()
      used.set(tokenKey, login)
    },
  }
}
