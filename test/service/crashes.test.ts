import { SCENARIOS, startCrashingService } from "../support/crashing-service.ts"

/** One crash somewhere in the middle of each; `crashes.full.ts` has one at every request. */
describe("service: killed in the middle, started again", function () {
  this.timeout(600_000)
  let test: Awaited<ReturnType<typeof startCrashingService>>
  before(async () => {
    test = await startCrashingService()
  })
  after(() => test?.close())

  for (const [place, scenario] of SCENARIOS.entries()) {
    it(`${scenario.name} comes to its end, and nothing is lost`, async () => {
      await test.crash(scenario, 5 + 2 * place)
    })
  }
})
