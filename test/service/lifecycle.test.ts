import { LIFECYCLE, useLifecycle } from "../support/lifecycle.ts"
import { seeded } from "../support/seeded.ts"

/** Requests and steps of which one is drawn: more than the shortest kind has, so that some miss. */
const [REQUESTS, STEPS] = [16, 4]

/** A refusal or a lost claim for each kind, drawn; `lifecycle.full.ts` has both at every place. */
describe("service: every kind of operation fails, is run again, and leaves nothing", function () {
  this.timeout(600_000)
  const random = seeded(Number(process.env.SEED ?? Date.now() % 100_000))
  const draw = (below: number) => Math.floor(random() * below)
  const test = useLifecycle()

  for (const scenario of LIFECYCLE) {
    const [request, step] = [draw(REQUESTS), draw(STEPS)]
    if (random() < 0.5) {
      it(`${scenario.name}: refused at request ${request}, it unwinds and can be done again`, async () => {
        await test().failsAt(scenario, request)
      })
    } else {
      it(`${scenario.name}: run again after step ${step}, it ends the same`, async () => {
        await test().runsAgainAfter(scenario, step)
      })
    }
  }
})
