import assert from "node:assert/strict"
import { verify } from "../../cli/golden-images.ts"
import type { ProfileName } from "../../image-builder/definition.ts"
import { promotionOf } from "../../image-builder/promotion.ts"
import type { Level, Result } from "../../image-builder/verify/check.ts"
import { CHECKLIST } from "../../image-builder/verify/checklist.ts"
import { checklistHash } from "../../image-builder/verify/checklist-hash.ts"
import { checksOf } from "../../image-builder/verify/run-checks.ts"
import { builtImage } from "./built-image.ts"

const HOUR = 3_600_000
const silent = { say: () => {}, step: <T>(_title: string, work: (detail: () => void) => Promise<T>) => work(() => {}) }

/**
 * Builds an image, runs the checklist on it, and makes a test of each check. Whoever passes is promoted. The same image
 * is not booted again for the same checklist, which takes four minutes, but in the full run.
 */
export function reportImage(profile: ProfileName, level: Level): void {
  const results = new Map<string, Result>()
  before(async function () {
    this.timeout(HOUR)
    const directory = await builtImage(this, profile)
    const end = (result: Result) => void results.set(result.name, result)
    const known = await promotionOf(directory)
    const isKnown = known?.level === level && known.checklist === checklistHash()
    if (known && isKnown && process.env.FOOZOL_TEST_FULL === undefined) return known.results.forEach(end)
    // What fails is told by the tests below, each by its own.
    await verify(directory, level, silent, { end }).catch(error => {
      if (error.id !== "not-verified") throw error
    })
  })
  for (const { name } of checksOf(CHECKLIST, level)) {
    it(name, () => {
      const { state, detail, screenshot = "no picture" } = results.get(name) ?? { state: "not run", detail: "" }
      assert.equal(state, "ok", `${detail} (${screenshot})`)
    })
  }
}
