import { hostname } from "node:os"
import { setTimeout as wait } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { keepFormat } from "../formats/format.ts"
import type { Keys } from "../keys.ts"
import { randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { keysLike } from "../redis/keys-like.ts"
import { readSecretMark } from "../secrets/secret-mark.ts"

const KEYS = `${PREFIX}process:`
/** So often a process says that it is there, and looks which secret is in use. */
const BEAT_MS = 2_000
const LAST_WORD_MS = 1_000
/** A process that has said nothing for so long is not there. */
const GONE_MS = 15_000

/** A process of the service that works on this Redis. */
export interface Present {
  host: string
  pid: number
  roles: string[]
  /** Fingerprints of the secrets it knows, and of the one it makes things with. */
  knows: string[]
  makesWith: string
  /** Fingerprints of the stacks' passphrases it knows; none are told by older processes. */
  passphrases?: string[]
}

/**
 * Says that this process is there, until it is closed, and goes over to another secret when that is in use.
 */
export async function bePresent(
  {
    redis,
    keys,
    roles,
    passphrases,
    log,
  }: { redis: Redis; keys: Keys; roles: string[]; passphrases: string[]; log: Logger },
  hear: (mark: { rotated: boolean }) => void,
): Promise<{ close(): Promise<void> }> {
  const key = `${KEYS}${randomToken()}`
  const stop = new AbortController()
  const beat = async () => {
    const mark = await readSecretMark(redis, keys)
    if (!keys.use(mark.inUse))
      log.error(
        { secret: mark.inUse },
        "another secret is in use, which this process does not know: start it again with the present FOOZOL_SECRET",
      )
    hear(mark)
    await keepFormat(redis)
    const said: Present = {
      host: hostname(),
      pid: process.pid,
      roles,
      knows: [...keys.fingerprints],
      makesWith: keys.inUse,
      passphrases,
    }
    await redis.set(key, JSON.stringify(said), "PX", GONE_MS)
  }
  await beat()
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await wait(BEAT_MS, undefined, { signal: stop.signal }).catch(() => {})
      // While Redis is away nobody can be told.
      if (!stop.signal.aborted) await beat().catch(() => {})
    }
  })()
  return {
    async close() {
      stop.abort()
      const gone = loop.then(() => redis.del(key)).catch(() => {})
      // A Redis that does not answer keeps nobody: it forgets by itself.
      await Promise.race([gone, wait(LAST_WORD_MS, undefined, { ref: false })])
    },
  }
}

/** The processes that work on this Redis now. */
export async function presentProcesses(redis: Redis): Promise<Present[]> {
  const found: string[] = []
  for await (const key of keysLike(redis, `${KEYS}*`)) found.push(key)
  const texts = found.length === 0 ? [] : await redis.mget(...found)
  return texts.flatMap(text => (text ? [JSON.parse(text) as Present] : []))
}
