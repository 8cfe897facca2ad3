import { setTimeout as sleep } from "node:timers/promises"
import { CREATION, SCENARIOS } from "../support/scenarios.ts"
import type { Campaign } from "./campaign.ts"
import { pick, rounds } from "./drawn-rounds.ts"
import type { Blow } from "./rounds.ts"

const FROZEN_MS = 60_000
const AWAY_MS = 5_000

/** What can become of Redis while its disk is kept. */
const OUTAGES: Record<string, Blow> = {
  "Redis killed": async ({ world }) => {
    await world.redis.crash()
    return true
  },
  "Redis away for 5 s": async ({ world }) => {
    await world.redis.kill()
    await sleep(AWAY_MS)
    await world.redis.resume()
    return true
  },
  "Redis frozen for 60 s": async ({ world }) => {
    world.redis.freeze()
    await sleep(FROZEN_MS)
    world.redis.thaw()
    return true
  },
}

export const redisOutages: Campaign = {
  about: "Redis is killed, kept away for 5 s, or frozen for 60 s, in the middle of work",
  count: 200,
  run: plan =>
    rounds(plan, random => {
      const what = pick(Object.keys(OUTAGES), random)
      return { scenario: pick([CREATION, ...SCENARIOS], random), blow: OUTAGES[what] as Blow, what }
    }),
}
