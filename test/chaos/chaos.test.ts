import assert from "node:assert/strict"
import { which } from "../../tools/setup/run.ts"
import { startBucket } from "../support/bucket.ts"
import type { Campaign } from "./campaign.ts"
import { CAMPAIGNS } from "./campaigns.ts"
import { VICTIMS } from "./fleet.ts"

/** A small share of `npm run chaos`: each kind of victim once, and some thousand forged tokens. */
describe("chaos", function () {
  this.timeout(900_000)

  async function hold(name: string, count: number): Promise<Map<string, number>> {
    const campaign = CAMPAIGNS.get(name) as Campaign
    const seed = Number(process.env.SEED ?? 1)
    const { measurements, broken } = await campaign.run({
      count,
      seed,
      worlds: 1,
      isEnough: () => false,
      note: () => {},
    })
    assert.deepEqual(broken, [])
    return new Map(measurements.map(({ metric, samples }) => [metric, samples[0] as number]))
  }

  it(`${VICTIMS.join(", ")} killed in the middle of creations: all come to their end, nothing is left over or there twice`, async () => {
    const counted = await hold("kills", VICTIMS.length)
    assert.equal(counted.get("blows"), VICTIMS.length)
    assert.ok((counted.get("operations") ?? 0) > 0, "somebody was in the middle of something")
  })

  it("a host that shares its state in a bucket is lost in the middle of work: another one ends what it had begun", async function () {
    const bucket = await startBucket()
    if ("reason" in bucket) {
      Object.assign(this.test ?? {}, { skipReason: bucket.reason })
      return this.skip()
    }
    await bucket.close()
    assert.equal((await hold("hosts", 1)).get("blows"), 1)
  })

  it("a stack's file is damaged: the workspace goes on, or says what is wrong and goes on when asked again", async () => {
    assert.equal((await hold("states", 1)).get("blows"), 1)
  })

  it("desktops that were open close when they must, and no others", async function () {
    if (!(await which("nginx"))) return this.skip()
    assert.equal((await hold("streams", 6)).get("not_closed"), 0)
  })

  it("thousands of tokens, tickets and keys that belong to others, were used or are forged: none admits", async () => {
    const counted = await hold("tokens", 3_000)
    assert.equal(counted.get("attempts"), 3_000)
    assert.ok((counted.get("controls") ?? 0) > 10)
  })
})
