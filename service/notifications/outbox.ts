import { randomUUID } from "node:crypto"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { PREFIX } from "../redis/connect.ts"
import type { Deliveries } from "./deliveries.ts"
import { type Facts, type Notification, type NotificationKind, parseNotification } from "./kinds.ts"
import { channelsFor, type PreferenceStore } from "./preferences.ts"

/**
 * Stream of what people are to be told. A Lua script that learns of something may append to it in the same step:
 * fields `id`, `user`, `kind`, `facts` (JSON, see kinds.ts) and `at` (ms).
 */
export const OUTBOX = `${PREFIX}outbox`
const AT_ONCE = 100

/**
 * Tells a user something, by whatever way they have chosen; it is recorded when this resolves.
 * @param options.id names what happened: told again under the same id within two days, nobody hears it twice
 * @returns the id
 */
export type Notify = <K extends NotificationKind>(
  user: string,
  kind: K,
  facts: Facts<K>,
  options?: { id?: string },
) => Promise<string>

/** @param now clock in ms */
export function createNotify(redis: Redis, now: () => number): Notify {
  return async (user, kind, facts, { id = randomUUID() } = {}) => {
    const entry = { id, user, kind, facts: JSON.stringify(facts), at: now() }
    await redis.xadd(OUTBOX, "*", ...Object.entries(entry).flat())
    return id
  }
}

/**
 * Makes deliveries of what is in the outbox. An entry goes when its deliveries are recorded; an entry that is read
 * again makes none anew.
 */
export async function emptyOutbox(
  { redis, preferences, deliveries, log }: Outbox,
  { count = AT_ONCE }: { count?: number } = {},
): Promise<number> {
  const entries = await redis.xrange(OUTBOX, "-", "+", "COUNT", count)
  for (const [entry, fields] of entries) {
    const told = readEntry(fields)
    if (told) {
      const channels = channelsFor(told.kind, await preferences.get(told.user))
      for (const channel of channels) await deliveries.add(told, channel)
    } else log.error({ entry }, "an entry of the outbox could not be read; it is left out")
    await redis.xdel(OUTBOX, entry)
  }
  return entries.length
}

export interface Outbox {
  redis: Redis
  preferences: PreferenceStore
  deliveries: Deliveries
  log: Logger
}

function readEntry(fields: string[]): Notification | null {
  const all: Record<string, string> = {}
  for (let at = 0; at + 1 < fields.length; at += 2) all[fields[at] as string] = fields[at + 1] as string
  const { id, user, kind, facts = "", at } = all
  return id && user && kind ? parseNotification({ id, user, kind, facts, at: Number(at) }) : null
}
