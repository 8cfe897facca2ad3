import type { Redis } from "ioredis"
import { ConfigError } from "../config/error.ts"
import type { Keys } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"

/** A hash: the fingerprint of the secret that what is new is made with, and when that came to be. */
const MARK = `${PREFIX}secret`

export interface SecretMark {
  inUse: string
  /** Was the secret ever changed? Then some machines have keys of an earlier one. */
  rotated: boolean
}

/** Which secret is in use here; the first process to ask says which. */
export async function readSecretMark(redis: Redis, keys: Pick<Keys, "fingerprints">): Promise<SecretMark> {
  // A process with an earlier secret beside the new one comes before the change, not after it.
  const first = keys.fingerprints.at(-1) as string
  const [inUse, rotatedAt] = await redis.hmget(MARK, "inUse", "rotatedAt")
  if (inUse) return { inUse, rotated: rotatedAt !== null }
  await redis.hsetnx(MARK, "inUse", first)
  return readSecretMark(redis, keys)
}

/** @throws ConfigError when what is here was made with a secret that is not among these */
export async function requireKnownSecret(redis: Redis, keys: Keys): Promise<SecretMark> {
  const mark = await readSecretMark(redis, keys)
  if (keys.use(mark.inUse)) return mark
  throw new ConfigError(
    "The data in Redis was made with another FOOZOL_SECRET: set that one, or put it into FOOZOL_SECRET_PREVIOUS and run `foozol-cloud secrets rotate`. If it is lost, `foozol-cloud secrets rotate --earlier-is-lost` goes on without what was sealed with it.",
  )
}

/** From now on what is new is made with this one, in all processes that know it. */
export async function markInUse(redis: Redis, fingerprint: string, now: number): Promise<void> {
  await redis.hset(MARK, "inUse", fingerprint, "rotatedAt", now)
}
