import assert from "node:assert/strict"
import { goldenDirectory } from "../../cli/golden-images.ts"
import { imageWorld } from "../../cli/image-world.ts"
import type { Result } from "../../image-builder/verify/check.ts"
import { CHECKLIST } from "../../image-builder/verify/checklist.ts"
import { type Run, startRun } from "../../image-builder/verify/run.ts"
import { checksOf, runChecks } from "../../image-builder/verify/run-checks.ts"
import { builtImage } from "../support/built-image.ts"
import { noticesDamages, QUICK_DAMAGES } from "../support/damages.ts"

/** The cheap part of the checklist on the other profile; then its machine is damaged, and the checklist must notice. */
describe("golden image, profile desktop", function () {
  this.timeout(1_200_000)
  const results = new Map<string, Result>()
  let run: Run

  before(async function () {
    this.timeout(3_600_000)
    const directory = await builtImage(this, "desktop")
    run = await startRun({ directory, profile: "desktop", world: await imageWorld(goldenDirectory()) })
    for (const result of await runChecks(checksOf(CHECKLIST, "quick"), run)) results.set(result.name, result)
  })
  after(() => run?.close())

  for (const { name } of checksOf(CHECKLIST, "quick")) {
    it(name, () => {
      const result = results.get(name)
      assert.equal(result?.state, "ok", result?.detail)
    })
  }

  noticesDamages(QUICK_DAMAGES, () => run)
})
