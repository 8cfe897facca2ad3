import assert from "node:assert/strict"
import { simulate } from "./world.ts"

/** A small share of week.full.ts. */
describe("some days of some workspaces, with every fifth request to the provider going wrong", function () {
  this.timeout(300_000)

  it("every promise about backups holds", async () => {
    const say = (line: string) => process.env.VERBOSE && console.log(`      ${line}`)
    const { broken, counted } = await simulate({ workspaces: 12, days: 6, stepMinutes: 60, seed: 7, faults: 0.2, say })
    console.log(`      ${JSON.stringify(counted)}`)
    assert.deepEqual(broken, [])
    // A day's backup is one of its own, or the snapshot somebody slept in, kept: how many of each hangs on the faults.
    assert.ok(
      counted.backups + counted.kept > 30 && counted.trials > 10 && counted.removed > 5,
      "it was worth looking at",
    )
  })
})
