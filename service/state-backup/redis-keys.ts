import type { Redis } from "ioredis"
import { z } from "zod"
import { PREFIX } from "../redis/connect.ts"

const Text = z.string()
/** A key of Redis with what it holds. */
export const StoredKey = z
  .object({
    /** Without the prefix. */
    key: Text,
    /** When it goes by itself, milliseconds since 1970. */
    ends: z.number().optional(),
  })
  .and(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("string"), value: Text }),
      z.object({ type: z.literal("hash"), value: z.record(Text, Text) }),
      z.object({ type: z.literal("set"), value: z.array(Text) }),
      z.object({ type: z.literal("list"), value: z.array(Text) }),
      /** Member and score, in order. */
      z.object({ type: z.literal("zset"), value: z.array(z.tuple([Text, Text])) }),
      /** Id of each entry, and its fields and values. */
      z.object({ type: z.literal("stream"), value: z.array(z.tuple([Text, z.array(Text)])) }),
    ]),
  )
export type StoredKey = z.output<typeof StoredKey>

/**
 * What is of the moment and means nothing later: limits, turns, leases, who is there, the weather, sign-ins under way,
 * conversations with coding agents (their transcripts are on the machines).
 * And what would let in somebody who has signed out since: logins, tickets, VNC tokens and links to ports. People sign in again.
 */
const OF_THE_MOMENT =
  /^(limit|turn:|process:|sign-in:|ticket:|login:|vnc:|vnc-of:|share:|weather:|sweep:|hosts$|idleness-pass$|records-whole$|restored$|user:[^:]+:logins$)|:lease$|:conversations$|:shares$/

export const isKept = (key: string): boolean => !OF_THE_MOMENT.test(key)

/** A key as it is now; null when it is gone, of the moment, or of a kind that nothing of ours is. */
export async function readKey(redis: Redis, full: string): Promise<StoredKey | null> {
  const key = full.slice(PREFIX.length)
  if (!isKept(key)) return null
  const type = await redis.type(full)
  // In one step, so that its end is that of what was read.
  const read = async <T>(add: (steps: ReturnType<Redis["multi"]>) => ReturnType<Redis["multi"]>) => {
    const [value, left] = (await add(redis.multi()).pttl(full).exec()) ?? []
    return { value: value?.[1] as T, ms: Number(left?.[1] ?? -2) }
  }
  const about = (ms: number) => ({ key, ...(ms >= 0 ? { ends: Date.now() + ms } : {}) })
  switch (type) {
    case "string": {
      const { value, ms } = await read<string | null>(steps => steps.get(full))
      return value === null ? null : { ...about(ms), type, value }
    }
    case "hash": {
      const { value, ms } = await read<Record<string, string>>(steps => steps.hgetall(full))
      return { ...about(ms), type, value }
    }
    case "set": {
      const { value, ms } = await read<string[]>(steps => steps.smembers(full))
      return { ...about(ms), type, value }
    }
    case "list": {
      const { value, ms } = await read<string[]>(steps => steps.lrange(full, 0, -1))
      return { ...about(ms), type, value }
    }
    case "zset": {
      const { value, ms } = await read<string[]>(steps => steps.zrange(full, "0", "-1", "WITHSCORES"))
      const pairs = value.flatMap((one, at) => (at % 2 === 0 ? [[one, value[at + 1] ?? "0"] as [string, string]] : []))
      return { ...about(ms), type, value: pairs }
    }
    case "stream": {
      const { value, ms } = await read<[string, string[]][]>(steps => steps.xrange(full, "-", "+"))
      return { ...about(ms), type, value }
    }
    default:
      return null
  }
}

/** Most members in one command. */
const AT_ONCE = 500

/** Writes a key that is not there yet. What has ended meanwhile, or holds nothing, is not written. */
export async function writeKey(
  redis: Redis,
  prefix: string,
  { key, ends, ...rest }: StoredKey,
  now: number,
): Promise<boolean> {
  if (ends !== undefined && ends <= now) return false
  const full = `${prefix}${key}`
  const steps = redis.pipeline()
  if (rest.type === "string") steps.set(full, rest.value)
  else if (rest.type === "hash")
    for (const some of pieces(Object.entries(rest.value))) steps.hset(full, Object.fromEntries(some))
  else if (rest.type === "set") for (const some of pieces(rest.value)) steps.sadd(full, ...some)
  else if (rest.type === "list") for (const some of pieces(rest.value)) steps.rpush(full, ...some)
  else if (rest.type === "zset") {
    for (const some of pieces(rest.value)) steps.zadd(full, ...some.flatMap(([member, score]) => [score, member]))
  } else for (const [id, fields] of rest.value) steps.xadd(full, id, ...fields)
  if (steps.length === 0) return false
  if (ends !== undefined) steps.pexpireat(full, ends)
  for (const [error] of (await steps.exec()) ?? []) if (error) throw error
  return true
}

function pieces<T>(all: T[]): T[][] {
  const cut: T[][] = []
  for (let at = 0; at < all.length; at += AT_ONCE) cut.push(all.slice(at, at + AT_ONCE))
  return cut
}
