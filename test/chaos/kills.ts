import { setTimeout as sleep } from "node:timers/promises"
import { CREATION, REPAIR, SCENARIOS, type Scenario } from "../support/scenarios.ts"
import type { Campaign, Outcome, Plan } from "./campaign.ts"
import { pick, rounds } from "./drawn-rounds.ts"
import { VICTIMS, type Victim } from "./fleet.ts"
import type { Blow } from "./rounds.ts"

const strike =
  (victim: Victim, signal: "SIGKILL" | "SIGTERM"): Blow =>
  async (fleet, _, isOver) => {
    // An engine and its plugin are there for moments only.
    for (; !(await isOver()); await sleep(10)) if (await fleet.hit(victim, signal)) return true
    return false
  }

/** Signals to processes; each kind of victim has its turn. */
const strikes = (
  plan: Plan,
  scenarios: readonly Scenario[],
  victims: readonly Victim[],
  signal: "SIGKILL" | "SIGTERM",
): Promise<Outcome> =>
  rounds(plan, (random, turn) => {
    const victim = victims[turn % victims.length] as Victim
    return { scenario: pick(scenarios, random), blow: strike(victim, signal), what: victim }
  })

export const kills: Campaign = {
  about: "kill -9 at a random instant of a creation: service, worker, engine child, engine, plugin, all at once",
  count: 1_000,
  run: plan => strikes(plan, [CREATION], VICTIMS, "SIGKILL"),
}

export const lifeKills: Campaign = {
  about: "the same while a workspace that is there is stopped, woken, backed up, changed, repaired or deleted",
  count: 500,
  run: plan => strikes(plan, [...SCENARIOS, REPAIR], VICTIMS, "SIGKILL"),
}

export const deploys: Campaign = {
  about: "the service is asked to end (SIGTERM) in the middle of work, and started again",
  count: 100,
  run: plan => strikes(plan, [CREATION, ...SCENARIOS], ["web", "worker"], "SIGTERM"),
}
