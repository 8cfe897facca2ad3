import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import { PROVIDERS, type Provider } from "../workspaces/workspace.ts"

/** Hash: kinds of which the last ones did not come to be, with how often in a row and until when none is made. */
const WAITS = `${PREFIX}warm-waits`
/** Says that people found no room at a provider: its spare machines give theirs, and no others are made for a while. */
const gives = (provider: Provider) => `${PREFIX}warm-gives:${provider}`
/** As long as a limit that was met is remembered. */
const GIVES_MS = 3_600_000
/** After a failure, and twice as long after each further one up to an hour. */
const FIRST_MS = 60_000
const LONGEST_MS = 3_600_000

interface Wait {
  failures: number
  /** Milliseconds since 1970. */
  since: number
  until: number
}

/** What keeps spare machines from being made. */
export interface Waits {
  /** Kinds that wait now. @param well by kind: when the newest that runs was made; one since the failure ends the wait */
  now(well: ReadonlyMap<string, number>): Promise<Set<string>>
  /** One of a kind did not come to be. */
  failed(kind: string): Promise<void>
  /** Providers at which spare machines give room. */
  giving(): Promise<Set<Provider>>
}

export function createWaits(redis: Redis, now: () => number): Waits {
  return {
    async now(well) {
      const all = Object.entries(await redis.hgetall(WAITS)).map(
        ([kind, text]) => [kind, JSON.parse(text) as Wait] as const,
      )
      const over = all.filter(([kind, { since }]) => (well.get(kind) ?? 0) > since).map(([kind]) => kind)
      if (over.length > 0) await redis.hdel(WAITS, ...over)
      return new Set(all.flatMap(([kind, { until }]) => (over.includes(kind) || until <= now() ? [] : [kind])))
    },
    async failed(kind) {
      const text = await redis.hget(WAITS, kind)
      const failures = (text === null ? 0 : (JSON.parse(text) as Wait).failures) + 1
      const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
      await redis.hset(WAITS, kind, JSON.stringify({ failures, since: now(), until: now() + pause } satisfies Wait))
    },
    async giving() {
      const said = await Promise.all(PROVIDERS.map(async one => [one, await redis.exists(gives(one))] as const))
      return new Set(said.flatMap(([provider, is]) => (is ? [provider] : [])))
    },
  }
}

/** Somebody found no room at a provider: what is spare there goes. */
export async function askForRoom(redis: Redis, provider: Provider): Promise<void> {
  await redis.set(gives(provider), 1, "PX", GIVES_MS)
}
