import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { WARM_POOL } from "../warm/words.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import type { Idleness } from "./idleness.ts"

const LOCK = `${PREFIX}idleness-pass`
/** Milliseconds a pass may take before another process may begin one: two at once do no harm. */
const LOCK_MS = 60_000
/** Workspaces looked at at once: a few answers of machines are waited for beside each other. */
const AT_ONCE = 50

/** The watch over all workspaces. */
export interface Watch {
  /** Begins no new pass and waits for the one that goes on. */
  close(): Promise<void>
}

/** Judges all workspaces again and again; of several processes one at a time does. */
export function startWatch(
  { redis, store, idleness, log }: { redis: Redis; store: WorkspaceStore; idleness: Idleness; log: Logger },
  checkMs: number,
): Watch {
  let closed = false
  let going: Promise<void> | null = null

  async function pass(): Promise<void> {
    const token = randomToken()
    if ((await redis.set(LOCK, token, "PX", LOCK_MS, "NX")) !== "OK") return
    try {
      // Spare machines wait for somebody who uses them.
      const spare = new Set(await redis.smembers(KEY.workspacesOf(WARM_POOL)))
      const ids = (await store.ids()).filter(id => !spare.has(id))
      for (let from = 0; from < ids.length && !closed; from += AT_ONCE) {
        await Promise.all(ids.slice(from, from + AT_ONCE).map(look))
      }
    } finally {
      if ((await redis.get(LOCK).catch(() => null)) === token) await redis.del(LOCK).catch(() => {})
    }
  }

  const look = (id: string) =>
    idleness.look(id).catch(error => log.warn({ err: error, workspace: id }, "its use could not be judged"))

  const timer = setInterval(() => {
    going ??= pass()
      .catch(error => log.warn({ err: error }, "the use of workspaces could not be judged"))
      .finally(() => {
        going = null
      })
  }, checkMs)
  return {
    async close() {
      closed = true
      clearInterval(timer)
      await going
    },
  }
}
