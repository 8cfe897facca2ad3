import type { Scenario } from "../support/scenarios.ts"
import { seeded } from "../support/seeded.ts"
import { type Outcome, one, type Plan, quantile, shares } from "./campaign.ts"
import type { FleetOptions } from "./fleet.ts"
import { type Blow, startRounds, type Verdict } from "./rounds.ts"

/** People who ask at the same moment in one round. */
const TOGETHER = 4

/** What is drawn for a round, beside the moment. */
interface Draw {
  scenario: Scenario
  blow: Blow
  /** For the ledger. */
  what: string
}

/** Rounds in which something that is drawn goes wrong while people ask for something that is drawn. */
export async function rounds(
  { count, seed, worlds, note }: Plan,
  draw: (random: () => number, turn: number) => Draw,
  options: FleetOptions = {},
): Promise<Outcome> {
  const verdicts: Verdict[] = []
  await Promise.all(
    [...shares(count, worlds)].map(async (share, world) => {
      const random = seeded(seed + 1_000 * world)
      const { round, close } = await startRounds(options)
      try {
        for (let done = 0, turn = world; done < share; turn += worlds) {
          const { scenario, blow, what } = draw(random, turn)
          const at = random()
          const verdict = await round(Array(TOGETHER).fill(scenario), at, blow)
          note({ what, at, scenario: scenario.name, ...verdict })
          verdicts.push(verdict)
          // What hit nobody is no blow, but what it shows counts.
          if (!verdict.missed) done++
        }
      } finally {
        await close()
      }
    }),
  )
  return outcome(verdicts)
}

/** @param random from 0 to 1 */
export const pick = <T>(from: readonly T[], random: () => number) => from[Math.floor(random() * from.length)] as T

function outcome(verdicts: Verdict[]): Outcome {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  const recovery = verdicts.flatMap(verdict => (verdict.missed ? [] : verdict.recovery))
  return {
    measurements: [
      one(
        "blows",
        "",
        sum(verdict => (verdict.missed ? 0 : 1)),
      ),
      one("operations", "", recovery.length),
      one(
        "orphans",
        "",
        sum(verdict => verdict.orphans),
      ),
      one(
        "duplicates",
        "",
        sum(verdict => verdict.duplicates),
      ),
      one(
        "stuck",
        "",
        sum(verdict => verdict.stuck),
      ),
      one(
        "by_hand",
        "",
        sum(verdict => verdict.byHand),
      ),
      one(
        "lost",
        "",
        sum(verdict => verdict.lost),
      ),
      one(
        "left_processes",
        "",
        sum(verdict => verdict.left),
      ),
      one("recovery_p50_s", "s", quantile(recovery, 0.5)),
      one("recovery_p99_s", "s", quantile(recovery, 0.99)),
    ],
    broken: verdicts.flatMap(verdict => verdict.words),
  }
}
