import { goldenDirectory } from "../../cli/golden-images.ts"
import { imageWorld } from "../../cli/image-world.ts"
import { CHECKLIST } from "../../image-builder/verify/checklist.ts"
import { type Run, startRun } from "../../image-builder/verify/run.ts"
import { checksOf, runChecks } from "../../image-builder/verify/run-checks.ts"
import { builtImage } from "../support/built-image.ts"
import { noticesDamages, SLOW_DAMAGES } from "../support/damages.ts"
import { reportImage } from "../support/image-report.ts"

/** All of the checklist on the profile of which `npm test` checks the cheap part. */
describe("golden image, profile desktop, in full", () => reportImage("desktop", "full"))

describe("golden image, profile desktop, without what the checklist waits for", function () {
  this.timeout(1_200_000)
  let run: Run
  before(async function () {
    this.timeout(3_600_000)
    const directory = await builtImage(this, "desktop")
    run = await startRun({ directory, profile: "desktop", world: await imageWorld(goldenDirectory()) })
    // Brings the machine up, the viewer and what is asked from inside.
    await runChecks(checksOf(CHECKLIST, "quick"), run)
  })
  after(() => run?.close())

  noticesDamages(SLOW_DAMAGES, () => run)
})
