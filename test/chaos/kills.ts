import { setTimeout as sleep } from "node:timers/promises"
import { CREATION, SCENARIOS, type Scenario } from "../support/scenarios.ts"
import { seeded } from "../support/seeded.ts"
import { type Campaign, type Outcome, one, type Plan, quantile, shares } from "./campaign.ts"
import { VICTIMS, type Victim } from "./fleet.ts"
import { type Blow, startRounds, type Verdict } from "./rounds.ts"

/** People who ask at the same moment in one round. */
const TOGETHER = 4

const strike =
  (victim: Victim, signal: "SIGKILL" | "SIGTERM"): Blow =>
  async (fleet, isOver) => {
    // An engine and its plugin are there for moments only.
    while (!(await fleet.hit(victim, signal))) {
      if (await isOver()) return false
      await sleep(10)
    }
    return true
  }

/** Blows at processes while scenarios that are drawn take their course. */
async function strikes(
  { count, seed, worlds, note }: Plan,
  scenarios: readonly Scenario[],
  victims: readonly Victim[],
  signal: "SIGKILL" | "SIGTERM",
): Promise<Outcome> {
  const verdicts: Verdict[] = []
  let world = 0
  await Promise.all(
    [...shares(count, worlds)].map(async share => {
      const random = seeded(seed + 1_000 * world++)
      const draw = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
      const rounds = await startRounds()
      try {
        for (let done = 0; done < share; ) {
          const [victim, at] = [draw(victims), random()]
          const drawn = Array.from({ length: TOGETHER }, () => draw(scenarios))
          // Rounds whose length is known repeat: one new image is for all of a round.
          const chosen = scenarios.length === 1 ? drawn : [draw(scenarios)].flatMap(only => [only, only, only, only])
          const verdict = await rounds.round(chosen, at, strike(victim, signal))
          note({ victim, at, scenarios: chosen.map(({ name }) => name), ...verdict })
          // What hit nobody is no blow, but what it shows counts.
          verdicts.push(verdict)
          if (!verdict.missed) done++
        }
      } finally {
        await rounds.close()
      }
    }),
  )
  return outcome(verdicts)
}

export function outcome(verdicts: Verdict[]): Outcome {
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

export const kills: Campaign = {
  about: "kill -9 at a random instant of a creation: service, worker, engine child, engine, plugin, all at once",
  count: 1_000,
  run: plan => strikes(plan, [CREATION], VICTIMS, "SIGKILL"),
}

export const lifeKills: Campaign = {
  about: "the same while a workspace that is there is stopped, woken, backed up, changed or deleted",
  count: 500,
  run: plan => strikes(plan, SCENARIOS, VICTIMS, "SIGKILL"),
}

export const deploys: Campaign = {
  about: "the service is asked to end (SIGTERM) in the middle of work, and started again",
  count: 100,
  run: plan => strikes(plan, [CREATION, ...SCENARIOS], ["web", "worker"], "SIGTERM"),
}
