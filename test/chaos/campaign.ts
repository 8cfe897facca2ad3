import type { Measurement } from "../../bench/measurement.ts"

/** How much of a campaign is wanted. */
export interface Plan {
  /** What goes wrong: so many kills, faults, attempts. */
  count: number
  /** Where the draws begin; the same seed draws the same. What the processes' clocks make of them differs. */
  seed: number
  /** Worlds at the same time, each with a provider, a Redis and a service of its own. */
  worlds: number
  /** Are promises that a busy computer breaks (milliseconds, seconds) not held? They are told all the same. */
  untimed?: boolean
  /** Has somebody seen enough? What is under way is brought to its end, and what was done is counted. */
  isEnough(): boolean
  /** One line of the campaign's ledger: what was done, and what became of it. */
  note(entry: Record<string, unknown>): void
}

export interface Outcome {
  measurements: Measurement[]
  /** Every broken promise, in words. */
  broken: string[]
}

export interface Campaign {
  about: string
  /** As many as the issue of this campaign wants. */
  count: number
  run(plan: Plan): Promise<Outcome>
}

/** The share of `count` that each of several workers gets, one after the other. */
export function* shares(count: number, workers: number): Generator<number> {
  for (let at = 0; at < workers; at++) yield Math.floor(count / workers) + (at < count % workers ? 1 : 0)
}

export const one = (metric: string, unit: string, value: number): Measurement => ({ metric, unit, samples: [value] })

/** What some parts of a campaign count, added up: the metric's name, and what each part says of it. */
export const totals = <T>(parts: readonly T[], counted: Record<string, (part: T) => number>): Measurement[] =>
  Object.entries(counted).map(([metric, count]) => {
    const total = parts.reduce((sum, part) => sum + count(part), 0)
    return one(metric, "", total)
  })

/** The value below which this share of the samples lies; NaN of none. */
export function quantile(samples: number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
