import assert from "node:assert/strict"
import { startCrashingService } from "../support/crashing-service.ts"
import { REPAIR, SCENARIOS } from "../support/scenarios.ts"
import { share } from "../support/share.ts"

const ALL = [...SCENARIOS, REPAIR]

/** One crash in the middle of all of them; `crashes.full.ts` has one of each at every request. */
describe("service: killed in the middle of everything, started again", function () {
  this.timeout(600_000)
  let test: Awaited<ReturnType<typeof startCrashingService>>
  before(async () => {
    test = await startCrashingService()
  })
  after(() => test?.close())

  // Requests to the provider by all of them together: some have hardly begun, some are half done.
  for (const atRequest of share([25, 70], [45])) {
    it(`${ALL.map(({ name }) => name).join(", ")}, after ${atRequest} requests: all come to their end, nothing is lost`, async () => {
      assert.ok(await test.crash(ALL, atRequest))
    })
  }
})
