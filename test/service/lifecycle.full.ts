import assert from "node:assert/strict"
import { LIFECYCLE, useLifecycle } from "../support/lifecycle.ts"

/** More than any of them has: what runs into this never ends. */
const MOST = 200

/** A refusal at every request, and a lost claim after every step, of every kind of operation. */
describe("service: every kind of operation, failed and run again at every place", function () {
  this.timeout(7_200_000)
  const test = useLifecycle()

  async function everywhere(tryAt: (at: number) => Promise<boolean>): Promise<number> {
    let at = 0
    while (await tryAt(at)) {
      at++
      assert.ok(at < MOST)
    }
    return at
  }

  for (const scenario of LIFECYCLE) {
    it(`${scenario.name}: refused anywhere, it unwinds and can be done again`, async () => {
      assert.ok((await everywhere(at => test().failsAt(scenario, at))) > 2)
    })
    it(`${scenario.name}: run again from anywhere, it ends the same`, async () => {
      assert.ok((await everywhere(at => test().runsAgainAfter(scenario, at))) > 0)
    })
  }
})
