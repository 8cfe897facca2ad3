import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import type { Kind } from "../workspaces/transitions.ts"
import type { Profile } from "../workspaces/workspace.ts"
import type { Estimate, StepName } from "./operation.ts"

/** How many past runs count: enough for a median, few enough that a change shows soon. */
const REMEMBERED = 15

/** Seconds an operation took, in all and by step. */
export interface Durations {
  seconds: number
  steps: Partial<Record<StepName, number>>
}

export interface Estimates {
  record(kind: Kind, profile: Profile, took: Durations): Promise<void>
  /** How long it will take, from what it took before. */
  estimate(kind: Kind, profile: Profile): Promise<Estimate>
}

export function createEstimates(redis: Redis): Estimates {
  const key = (kind: Kind, profile: Profile) => `${PREFIX}durations:${kind}:${profile}`
  return {
    async record(kind, profile, took) {
      await redis
        .multi()
        .lpush(key(kind, profile), JSON.stringify(took))
        .ltrim(key(kind, profile), 0, REMEMBERED - 1)
        .exec()
    },
    async estimate(kind, profile) {
      const past = (await redis.lrange(key(kind, profile), 0, -1)).map(text => JSON.parse(text) as Durations)
      return medians(past)
    },
  }
}

/** Pure. */
export function medians(past: Durations[]): Estimate {
  const names = [...new Set(past.flatMap(one => Object.keys(one.steps)))] as StepName[]
  const steps = names.map(name => [name, median(past.flatMap(one => one.steps[name] ?? []))] as const)
  return {
    seconds: past.length === 0 ? null : median(past.map(one => one.seconds)),
    steps: Object.fromEntries(steps),
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}
