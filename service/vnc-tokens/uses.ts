import type { Redis } from "ioredis"
import { loadScript } from "../redis/scripts.ts"

/** Uses are gathered for so long: Redis waits for its disk at every write, and everybody with it. */
const GATHER_MS = 5_000
/** Tokens in one write: Redis does nothing else meanwhile. */
const AT_ONCE = 200

const touch = loadScript(new URL("lua/touch.lua", import.meta.url))

/** Writes down uses of tokens some time later, many at a time. What is lost with the process, the next use repeats. */
export interface TokenUses {
  note(tokenKey: string): void
}

/**
 * @param life what a token and an unused login have left after a use, in ms
 * @param now clock in ms
 */
export function createTokenUses(
  redis: Redis,
  life: { tokenMs: number; idleMs: number; logins: string },
  now: () => number,
): TokenUses {
  const used = new Set<string>()

  async function write(): Promise<void> {
    const keys = [...used]
    used.clear()
    for (let begin = 0; begin < keys.length; begin += AT_ONCE) {
      const some = keys.slice(begin, begin + AT_ONCE)
      await touch.run(redis, some, [now(), life.tokenMs, life.idleMs, life.logins])
    }
  }
  return {
    note(tokenKey) {
      if (used.size === 0) setTimeout(() => void write().catch(() => {}), GATHER_MS).unref()
      used.add(tokenKey)
    },
  }
}
