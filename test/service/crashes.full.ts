import assert from "node:assert/strict"
import { startCrashingService } from "../support/crashing-service.ts"
import { REPAIR, SCENARIOS } from "../support/scenarios.ts"

/** More requests than any of them makes: what runs into this never ends. */
const MOST = 400

/** A crash at every request to the provider, of everything that changes a workspace's machine. */
describe("service: killed at every step, started again", function () {
  this.timeout(7_200_000)
  let test: Awaited<ReturnType<typeof startCrashingService>>
  before(async () => {
    test = await startCrashingService()
  })
  after(() => test?.close())

  for (const scenario of [...SCENARIOS, REPAIR]) {
    it(`${scenario.name} comes to its end from wherever it was cut off`, async () => {
      let at = 0
      while (await test.crash([scenario], at)) {
        at++
        assert.ok(at < MOST)
      }
      assert.ok(at > 3, `only ${at} places were tried`)
    })
  }
})
