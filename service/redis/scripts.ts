import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Redis } from "ioredis"

/** A Lua script: runs whole or not at all, and nothing comes in between. */
export interface Script {
  run(redis: Redis, keys: string[], args: (string | number)[]): Promise<unknown>
}

/**
 * Reads a script that lies beside its caller. The head of each file says what its keys and arguments are and which
 * invariant it keeps.
 * @param url URL of the file, from `new URL("lua/NAME.lua", import.meta.url)`
 */
export function loadScript(url: URL): Script {
  const text = readFileSync(url, "utf8")
  const sha = createHash("sha1").update(text).digest("hex")
  return {
    async run(redis, keys, args) {
      try {
        return await redis.evalsha(sha, keys.length, ...keys, ...args)
      } catch (error) {
        // A Redis that was started anew knows no scripts.
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error
        return redis.eval(text, keys.length, ...keys, ...args)
      }
    },
  }
}
