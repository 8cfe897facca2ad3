import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { type Notification, parseNotification } from "./kinds.ts"
import type { Channel } from "./preferences.ts"

const scripts = {
  add: loadScript(new URL("lua/add.lua", import.meta.url)),
  take: loadScript(new URL("lua/take.lua", import.meta.url)),
}
const DUE = `${PREFIX}deliveries-due`
const prefix = `${PREFIX}delivery:`

const SECOND = 1_000
const HOUR = 3600 * SECOND
/** What could not be delivered for so long is given up. */
export const GIVE_UP_MS = 24 * HOUR
/** Until another worker tries what one has taken: longer than any try lasts. */
const TAKEN_MS = 90 * SECOND
/** Seconds a delivery is remembered once it is over: so long the same id is not delivered again. */
const REMEMBERED_S = 48 * 3600
/** Failures that are kept for a user to see, and seconds for how long. */
const FAILURES = 20
const FAILURES_S = 30 * 24 * 3600

/** One notification on its way through one channel. */
export interface Delivery {
  name: string
  channel: Channel
  told: Notification
  /** How often it was tried, this time included. */
  attempts: number
}

/** A delivery that was given up, as its user sees it. */
export interface DeliveryFailure {
  id: string
  kind: string
  channel: Channel
  /** When it was told, and when it was given up (ms). */
  at: number
  givenUpAt: number
  reason: string
}

export interface Deliveries {
  add(told: Notification, channel: Channel): Promise<void>
  /** Takes one that is due, for this worker alone. */
  take(): Promise<Delivery | null>
  delivered(delivery: Delivery): Promise<void>
  /**
   * Puts a delivery back for later, or gives it up when it is too old or there is no hope.
   * @param reason for its user: nothing secret
   */
  failed(delivery: Delivery, reason: string, isHopeless: boolean): Promise<"later" | "given-up">
  /** Forgets what is on its way to a user, who is no more. */
  forget(user: string): Promise<void>
  /** Those given up, newest first. */
  failuresOf(user: string): Promise<DeliveryFailure[]>
}

/**
 * When a delivery is tried next: after 10 s, then three times as long each time, at most an hour; null when a day has
 * gone by. Pure.
 */
export function nextTry(attempts: number, told: number, now: number): number | null {
  const next = now + Math.min(HOUR, 10 * SECOND * 3 ** (attempts - 1))
  return next - told > GIVE_UP_MS ? null : next
}

/** @param now clock in ms */
export function createDeliveries(redis: Redis, now: () => number): Deliveries {
  const failuresKey = (user: string) => `${PREFIX}user:${user}:notify-failures`

  async function over({ name }: Delivery): Promise<void> {
    await redis
      .multi()
      .zrem(DUE, name)
      .hset(prefix + name, "facts", "{}")
      .expire(prefix + name, REMEMBERED_S)
      .exec()
  }

  return {
    async add(told, channel) {
      const name = `${told.id}:${channel}`
      const { id, user, kind, facts, at } = told
      const fields = { id, user, kind, facts: JSON.stringify(facts), at, channel }
      await scripts.add.run(redis, [prefix + name, DUE], [name, now(), ...Object.entries(fields).flat()])
    },
    async take() {
      const taken = (await scripts.take.run(redis, [DUE], [now(), TAKEN_MS, prefix])) as [string, string[]] | null
      if (!taken) return null
      const [name, list] = taken
      const fields: Record<string, string> = {}
      for (let at = 0; at + 1 < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string
      const { id = "", user = "", kind = "", facts = "", at, channel, attempts } = fields
      const told = parseNotification({ id, user, kind, facts, at: Number(at) })
      if (told) return { name, channel: channel as Channel, told, attempts: Number(attempts) }
      // What cannot be read is never delivered, and must not be taken again and again.
      await redis
        .multi()
        .zrem(DUE, name)
        .del(prefix + name)
        .exec()
      return null
    },
    delivered: over,
    async failed(delivery, reason, isHopeless) {
      const { name, channel, told, attempts } = delivery
      const next = isHopeless ? null : nextTry(attempts, told.at, now())
      if (next !== null) {
        await redis.zadd(DUE, next, name)
        return "later"
      }
      const failure: DeliveryFailure = {
        ...{ id: told.id, kind: told.kind, channel, at: told.at, givenUpAt: now(), reason },
      }
      const key = failuresKey(told.user)
      await redis
        .multi()
        .lpush(key, JSON.stringify(failure))
        .ltrim(key, 0, FAILURES - 1)
        .expire(key, FAILURES_S)
        .exec()
      await over(delivery)
      return "given-up"
    },
    async forget(user) {
      for (const name of await redis.zrange(DUE, "0", "-1")) {
        if ((await redis.hget(prefix + name, "user")) !== user) continue
        await redis
          .multi()
          .zrem(DUE, name)
          .del(prefix + name)
          .exec()
      }
    },
    async failuresOf(user) {
      return (await redis.lrange(failuresKey(user), 0, -1)).map(text => JSON.parse(text) as DeliveryFailure)
    },
  }
}
