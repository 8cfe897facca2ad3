import type { Scenario } from "../support/scenarios.ts"
import { seeded } from "../support/seeded.ts"
import { type Outcome, one, type Plan, quantile, shares, totals } from "./campaign.ts"
import type { FleetOptions } from "./fleet.ts"
import { type Blow, type RoundOptions, startRounds, type UsualTimes, type Verdict } from "./rounds.ts"

/** People who ask at the same moment in one round, at most: alone, an operation is hit in other places than among others. */
const TOGETHER = 4

/** What is drawn for a round, beside the moment. */
interface Draw {
  scenario: Scenario
  blow: Blow
  /** For the ledger. */
  what: string
  options?: RoundOptions
}

/** Rounds in which something that is drawn goes wrong while people ask for something that is drawn. */
export async function rounds(
  { count, seed, worlds, isEnough, note }: Plan,
  draw: (random: () => number, turn: number) => Draw,
  /** Asked for each world anew. */
  options: () => FleetOptions = () => ({}),
): Promise<Outcome> {
  const verdicts: Verdict[] = []
  const cutShort: string[] = []
  const usualTimes: UsualTimes = new Map()
  await Promise.all(
    [...shares(count, worlds)].map(async (share, world) => {
      const random = seeded(seed + 1_000 * world)
      const { round, close } = await startRounds(options, usualTimes)
      try {
        for (let done = 0, turn = world; done < share && !isEnough(); turn += worlds) {
          const { scenario, blow, what, options } = draw(random, turn)
          const at = random()
          const people = 1 + Math.floor(TOGETHER * random())
          const verdict = await round(Array(people).fill(scenario), at, blow, options)
          note({ what, at: options?.before ? "before" : at, people, scenario: scenario.name, ...verdict })
          verdicts.push(verdict)
          // What hit nobody is no blow, but what it shows counts.
          if (!verdict.missed) done++
        }
      } catch (error) {
        // The other worlds go on, and what was seen before counts.
        cutShort.push(`a world ended early: ${error instanceof Error ? error.stack : error}`)
      } finally {
        await close()
      }
    }),
  )
  const { measurements, broken } = outcome(verdicts)
  return { measurements, broken: [...broken, ...cutShort] }
}

/** @param random from 0 to 1 */
export const pick = <T>(from: readonly T[], random: () => number) => from[Math.floor(random() * from.length)] as T

/** What a verdict counts, by the name it is told under. */
const COUNTED = {
  orphans: ({ orphans }: Verdict) => orphans,
  duplicates: ({ duplicates }: Verdict) => duplicates,
  stuck: ({ stuck }: Verdict) => stuck,
  by_hand: ({ byHand }: Verdict) => byHand,
  lost: ({ lost }: Verdict) => lost,
  left_processes: ({ left }: Verdict) => left,
}

function outcome(verdicts: Verdict[]): Outcome {
  const blows = verdicts.filter(verdict => !verdict.missed)
  const recovery = blows.flatMap(verdict => verdict.recovery)
  return {
    measurements: [
      one("blows", "", blows.length),
      one("operations", "", recovery.length),
      ...totals(verdicts, COUNTED),
      one("recovery_p50_s", "s", quantile(recovery, 0.5)),
      one("recovery_p99_s", "s", quantile(recovery, 0.99)),
    ],
    broken: verdicts.flatMap(verdict => verdict.words),
  }
}
