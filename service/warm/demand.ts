import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"

/** Length of what is counted together, ms: about as long as it takes until a machine that was taken has been replaced. */
const SLOT_MS = 600_000
const SLOTS_A_DAY = 86_400_000 / SLOT_MS
/** The hour behind, with the part of the present slot that is over; and the hour ahead, as it was on earlier days. */
const HOUR = 3_600_000 / SLOT_MS
/** As many days are looked back: each day of the week is among them. */
const DAYS = 7

/** Hash of one day (UTC, counted from 1970): by `KIND SLOT`, how often a machine of that kind was asked for. */
const keyOf = (day: number) => `${PREFIX}warm-asked:${day}`

/** How often new workspaces ask for machines of each kind. */
export interface Demand {
  /** Notes that one was asked for, whether or not there was one. */
  asked(kind: string): Promise<void>
  /**
   * How many of each kind were asked for in the busiest ten minutes of the last hour, or of the hour that lies ahead as
   * it was on each of the last seven days.
   */
  busiest(kinds: readonly string[]): Promise<Map<string, number>>
}

/** @param now ms since 1970 */
export function createDemand(redis: Redis, now: () => number): Demand {
  const present = () => Math.floor(now() / SLOT_MS)
  return {
    async asked(kind) {
      const slot = present()
      const key = keyOf(Math.floor(slot / SLOTS_A_DAY))
      await redis
        .multi()
        .hincrby(key, `${kind} ${slot % SLOTS_A_DAY}`, 1)
        .expire(key, ((DAYS + 2) * 86_400_000) / 1_000)
        .exec()
    },
    async busiest(kinds) {
      const byDay = Map.groupBy(slotsAt(present()), slot => Math.floor(slot / SLOTS_A_DAY))
      const most = async (kind: string) => {
        const counts = [...byDay].map(([day, slots]) =>
          redis.hmget(keyOf(day), ...slots.map(slot => `${kind} ${slot % SLOTS_A_DAY}`)),
        )
        return [kind, Math.max(...(await Promise.all(counts)).flat().map(Number))] as const
      }
      return new Map(await Promise.all(kinds.map(most)))
    },
  }
}

/** The slots that tell what may be asked for next. Pure. */
export function slotsAt(present: number): number[] {
  const hour = (from: number) => Array.from({ length: HOUR + 1 }, (_, at) => from + at)
  const earlier = Array.from({ length: DAYS }, (_, at) => hour(present - (at + 1) * SLOTS_A_DAY))
  return [hour(present - HOUR), ...earlier].flat()
}
