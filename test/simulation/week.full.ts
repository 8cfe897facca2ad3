import assert from "node:assert/strict"
import { simulate } from "./world.ts"

describe("a week of two hundred workspaces, with every fifth request to the provider going wrong", function () {
  this.timeout(3_600_000)

  it("every promise about backups holds", async () => {
    const say = (line: string) => console.log(`      ${line}`)
    const began = performance.now()
    const seed = Number(process.env.SEED ?? 1)
    const { broken, counted } = await simulate({ workspaces: 200, days: 7, stepMinutes: 30, seed, faults: 0.2, say })
    console.log(`      ${((performance.now() - began) / 60_000).toFixed(1)} min, ${JSON.stringify(counted)}`)
    assert.deepEqual(broken, [])
    assert.ok(counted.backups > 500 && counted.trials > 300 && counted.removed > 200, "it was worth looking at")
  })
})
