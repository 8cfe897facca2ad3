import type { Redis } from "ioredis"
import { randomToken } from "../keys.ts"
import { PREFIX } from "./connect.ts"
import { loadScript } from "./scripts.ts"

const giveBack = loadScript(new URL("give-back.lua", import.meta.url))

/**
 * Does something that one process at a time is enough for; the others leave it out. It keeps order and work low, and is
 * no lock: whoever takes longer than `ms` may meet a second one, so what is done must bear being done twice.
 * @returns whether it was this process's turn
 */
export async function inTurn(redis: Redis, name: string, ms: number, work: () => Promise<void>): Promise<boolean> {
  const key = `${PREFIX}turn:${name}`
  const token = randomToken()
  if ((await redis.set(key, token, "PX", ms, "NX")) !== "OK") return false
  try {
    await work()
  } finally {
    // Where Redis is away, it ends by itself.
    await giveBack.run(redis, [key], [token]).catch(() => {})
  }
  return true
}
