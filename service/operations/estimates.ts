import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import type { Kind } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Estimate, StepName } from "./operation.ts"

/** How many past runs count: enough for a median, few enough that a change shows soon. */
const REMEMBERED = 15

/** Seconds an operation took, in all and by step. */
export interface Durations {
  seconds: number
  steps: Partial<Record<StepName, number>>
  /** Of what is within them, by `partKey`; those from before have none. */
  parts?: Record<string, number>
}

/** What decides how long an operation on a workspace takes, besides its kind: providers differ by minutes. */
type Where = Pick<Workspace, "profile" | "provider">

export interface Estimates {
  record(kind: Kind, where: Where, took: Durations): Promise<void>
  /** How long it will take, from what it took before at the same provider. */
  estimate(kind: Kind, where: Where): Promise<Estimate>
}

export function createEstimates(redis: Redis): Estimates {
  const key = (kind: Kind, { profile, provider }: Where) => `${PREFIX}durations:${kind}:${profile}:${provider}`
  /** Where times were kept before they were told apart by provider. */
  const before = (kind: Kind, { profile }: Where) => `${PREFIX}durations:${kind}:${profile}`
  return {
    async record(kind, where, took) {
      await redis
        .multi()
        .lpush(key(kind, where), JSON.stringify(took))
        .ltrim(key(kind, where), 0, REMEMBERED - 1)
        .exec()
    },
    async estimate(kind, where) {
      const here = await redis.lrange(key(kind, where), 0, -1)
      const past = here.length > 0 ? here : await redis.lrange(before(kind, where), 0, -1)
      return medians(past.map(text => JSON.parse(text) as Durations))
    },
  }
}

/** Pure. */
export function medians(past: Durations[]): Estimate {
  const parts = mediansOf(past.map(one => one.parts ?? {}))
  return {
    seconds: past.length === 0 ? null : median(past.map(one => one.seconds)),
    steps: mediansOf(past.map(one => one.steps)),
    ...(Object.keys(parts).length > 0 ? { parts } : {}),
  }
}

/** Of each name over those that have it. */
function mediansOf(past: Partial<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(past.flatMap(one => Object.keys(one)))]
  return Object.fromEntries(names.map(name => [name, median(past.flatMap(one => one[name] ?? []))]))
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}
