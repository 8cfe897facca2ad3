import assert from "node:assert/strict"
import type { Campaign } from "./campaign.ts"
import { CAMPAIGNS } from "./campaigns.ts"

/** A campaign's targets, held in so many rounds of it. @returns what it counted, by metric */
export async function hold(name: string, count: number): Promise<Map<string, number>> {
  const campaign = CAMPAIGNS.get(name) as Campaign
  const seed = Number(process.env.SEED ?? 1)
  const { measurements, broken } = await campaign.run({
    count,
    seed,
    worlds: 1,
    untimed: true,
    isEnough: () => false,
    note: () => {},
  })
  assert.deepEqual(broken, [])
  return new Map(measurements.map(({ metric, samples }) => [metric, samples[0] as number]))
}
