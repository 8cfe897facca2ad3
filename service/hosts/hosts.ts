import { hostname } from "node:os"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { clearLocks } from "../../infra/clear-locks.ts"
import type { StateFiles } from "../../infra/state-files/contract.ts"
import { PREFIX } from "../redis/connect.ts"

/** When each host was last heard of, milliseconds since 1970, by its name. */
const HOSTS = `${PREFIX}hosts`
/** What is so old tells nothing any more. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000

/**
 * One sign of life of this host, and a look at the locks of the engine's backend: a host that shares it with others
 * clears what its own dead processes have left, and any host what a lost one has.
 * @returns how many locks were removed
 */
export async function lookAfterLocks(means: {
  redis: Redis
  files: StateFiles
  /** Milliseconds without a sign after which a host counts as lost; what it had leased was given on long before. */
  hostLostMs: number
  now: () => number
  log: Logger
}): Promise<number> {
  const { redis, files, hostLostMs, now, log } = means
  await redis.hset(HOSTS, hostname(), now())
  const removed = await clearLocks(files, async lock => {
    // One that never gave a sign is counted from the first time its lock was met.
    await redis.hsetnx(HOSTS, lock.hostname, now())
    const heard = Number(await redis.hget(HOSTS, lock.hostname))
    return now() - heard > hostLostMs
  })
  for (const { hostname: host, pid, takenAt } of removed) {
    log.warn({ host, pid, takenAt: new Date(takenAt).toISOString() }, "a lock was removed whose holder is gone")
  }
  await forgetOld(redis, now())
  return removed.length
}

async function forgetOld(redis: Redis, now: number): Promise<void> {
  const heard = await redis.hgetall(HOSTS)
  const old = Object.keys(heard).filter(host => now - Number(heard[host]) > FORGOTTEN_MS)
  if (old.length > 0) await redis.hdel(HOSTS, ...old)
}
