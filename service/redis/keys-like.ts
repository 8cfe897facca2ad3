import type { Redis } from "ioredis"

/** Keys looked at in one step of a search. */
const SCANNED = 500

/** All keys of a pattern that are there from beginning to end, each once. */
export async function* keysLike(redis: Redis, pattern: string): AsyncGenerator<string> {
  const told = new Set<string>()
  let cursor = "0"
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", pattern, "COUNT", SCANNED)
    for (const key of keys) {
      if (told.has(key)) continue
      told.add(key)
      yield key
    }
    cursor = next
  } while (cursor !== "0")
}
