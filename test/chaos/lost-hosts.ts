import { setTimeout as sleep } from "node:timers/promises"
import { startBucket } from "../support/bucket.ts"
import { CREATION, SCENARIOS } from "../support/scenarios.ts"
import type { Campaign } from "./campaign.ts"
import { pick, rounds } from "./drawn-rounds.ts"
import type { Blow } from "./rounds.ts"

const lose =
  (returns: boolean): Blow =>
  async (fleet, _, isOver) => {
    for (; !(await isOver()); await sleep(10)) if (await fleet.loseHost(returns)) return true
    return false
  }

/** How soon a host counts as lost here, seconds; what people wait for is mostly that. */
const LOST = "60"

export const lostHosts: Campaign = {
  about: "one of two hosts that share their state in a bucket ends in the middle of work, and comes back or never does",
  count: 100,
  async run(plan) {
    const bucket = await startBucket()
    if ("reason" in bucket) throw new Error(bucket.reason)
    let world = 0
    try {
      return await rounds(
        plan,
        random => {
          const returns = random() < 0.5
          const what = returns ? "host started again" : "host lost for good"
          return { scenario: pick([CREATION, ...SCENARIOS], random), blow: lose(returns), what }
        },
        () => ({
          ...{ workers: 2, hosts: true },
          settings: {
            FOOZOL_BACKEND_URL: bucket.url.replace("?", `/${++world}?`),
            FOOZOL_HOST_LOST_SECONDS: LOST,
            FOOZOL_PROVIDER_PATIENCE_SECONDS: "300",
            ...bucket.env,
          },
        }),
      )
    } finally {
      await bucket.close()
    }
  },
}
