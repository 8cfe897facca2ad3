import { setTimeout as sleep } from "node:timers/promises"
import { LEASE_MS } from "../../service/operations/lease.ts"
import { CREATION, SCENARIOS } from "../support/scenarios.ts"
import type { Campaign } from "./campaign.ts"
import { pick, rounds } from "./drawn-rounds.ts"
import type { Blow } from "./rounds.ts"

/** Past the lease by as much as another worker needs to take over. */
const FROZEN_MS = LEASE_MS + 10_000
/** What the frozen one still wants to write it has tried to by then. */
const AWAKE_MS = 2_000

const freeze =
  (whole: boolean): Blow =>
  async (fleet, _, isOver) => {
    for (; !(await isOver()); await sleep(10)) {
      const thaw = fleet.freeze(whole)
      if (!thaw) continue
      await sleep(FROZEN_MS)
      thaw()
      await sleep(AWAKE_MS)
      return true
    }
    return false
  }

export const freezes: Campaign = {
  about: "a worker stands still past its lease, another takes over, the first one goes on",
  count: 200,
  run: plan =>
    rounds(
      plan,
      random => {
        const whole = random() < 0.5
        const what = whole ? "worker with its engines frozen" : "worker frozen"
        return { scenario: pick([CREATION, ...SCENARIOS], random), blow: freeze(whole), what }
      },
      () => ({ workers: 2 }),
    ),
}
