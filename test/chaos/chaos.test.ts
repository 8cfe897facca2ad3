import assert from "node:assert/strict"
import type { Campaign } from "./campaign.ts"
import { CAMPAIGNS } from "./campaigns.ts"
import { VICTIMS } from "./fleet.ts"

/** A small share of `npm run chaos`: each kind of victim once, and some thousand forged tokens. */
describe("chaos", function () {
  this.timeout(900_000)

  async function hold(name: string, count: number): Promise<Map<string, number>> {
    const campaign = CAMPAIGNS.get(name) as Campaign
    const seed = Number(process.env.SEED ?? 1)
    const { measurements, broken } = await campaign.run({ count, seed, worlds: 1, note: () => {} })
    assert.deepEqual(broken, [])
    return new Map(measurements.map(({ metric, samples }) => [metric, samples[0] as number]))
  }

  it(`${VICTIMS.join(", ")} killed in the middle of creations: all come to their end, nothing is left over or there twice`, async () => {
    const counted = await hold("kills", VICTIMS.length)
    assert.equal(counted.get("blows"), VICTIMS.length)
    assert.ok((counted.get("operations") ?? 0) > 0, "somebody was in the middle of something")
  })

  it("thousands of tokens, tickets and keys that belong to others, were used or are forged: none admits", async () => {
    const counted = await hold("tokens", 3_000)
    assert.equal(counted.get("attempts"), 3_000)
    assert.ok((counted.get("controls") ?? 0) > 10)
  })
})
