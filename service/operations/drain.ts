import { hostname } from "node:os"
import { setTimeout as wait } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { PREFIX } from "../redis/connect.ts"
import type { OperationWorker } from "./queue.ts"

/** Who drains, by `all`, `host:NAME` or `worker:ID`. */
const ORDERS = `${PREFIX}drain`
/** What each worker said of itself last, by id. */
const WORKERS = `${PREFIX}workers`
/** So often a worker says how it is, and hears whether it is to drain. */
const LOOK_MS = 1_000
/** A worker that says nothing for so long is gone. */
const GONE_MS = 10_000

/** Which workers: all, those of a host, or one. */
export const DRAIN_TARGET = /^(all|host:[\w.-]{1,200}|worker:[\w.:-]{1,220})$/

export interface DrainOrder {
  target: string
  /** Login name. */
  by: string
  why: string
  /** Milliseconds since 1970. */
  at: number
}

/** A worker as it said of itself. */
export interface WorkerState {
  id: string
  host: string
  pid: number
  since: number
  /** Operations it is at. */
  active: number
  draining: boolean
}

/** Lets workers take no new operations, for deploys and maintenance; those under way come to their end. */
export interface Drains {
  /** Records that they drain; workers hear of it within a second or two. */
  begin(order: DrainOrder): Promise<void>
  /** @returns whether there was such an order */
  end(target: string): Promise<boolean>
  orders(): Promise<DrainOrder[]>
  workers(): Promise<WorkerState[]>
}

export function createDrains(redis: Redis, now: () => number): Drains {
  return {
    begin: async order => void (await redis.hset(ORDERS, order.target, JSON.stringify(order))),
    end: async target => (await redis.hdel(ORDERS, target)) === 1,
    orders: async () => Object.values(await redis.hgetall(ORDERS)).map(text => JSON.parse(text) as DrainOrder),
    async workers() {
      const all = Object.values(await redis.hgetall(WORKERS)).map(
        text => JSON.parse(text) as WorkerState & { at: number },
      )
      const isGone = ({ at }: { at: number }) => now() - at > GONE_MS
      const gone = all.filter(isGone).map(one => one.id)
      if (gone.length > 0) await redis.hdel(WORKERS, ...gone)
      return all
        .filter(one => !isGone(one))
        .map(({ at: _, ...one }) => one)
        .sort((a, b) => a.id.localeCompare(b.id))
    },
  }
}

/** Is a worker among those that drain? Pure. */
export const isDrained = ({ id, host }: Pick<WorkerState, "id" | "host">, targets: readonly string[]): boolean =>
  targets.some(target => target === "all" || target === `host:${host}` || target === `worker:${id}`)

/** Keeps a worker heard of, and draining for as long as somebody wants it. @returns how to end that */
export function obeyDrains(
  { redis, now, log }: { redis: Redis; now: () => number; log: Logger },
  worker: Pick<OperationWorker, "drain" | "active">,
): () => Promise<void> {
  const host = hostname()
  const me = { id: `${host}:${process.pid}`, host, pid: process.pid, since: now() }
  const stop = new AbortController()
  let draining = false
  async function look(): Promise<void> {
    const wanted = isDrained(me, await redis.hkeys(ORDERS))
    if (wanted !== draining)
      log.warn({ worker: me.id }, wanted ? "this worker takes no new operations" : "this worker takes operations again")
    draining = wanted
    await worker.drain(draining)
    const said = { ...me, active: worker.active(), draining, at: now() }
    await redis.hset(WORKERS, me.id, JSON.stringify(said))
  }
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await look().catch(error => log.debug({ err: error }, "a worker could not say how it is"))
      await wait(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return async () => {
    stop.abort()
    await loop
    await redis.hdel(WORKERS, me.id).catch(() => {})
  }
}
