import { type EngineRecord, ensureEngine } from "./engine.ts"
import { createProgress, type Progress } from "./progress.ts"
import { ensureSystemPackages } from "./system-packages.ts"

/**
 * Everything a machine needs before the product or its tests run. Idempotent; takes well under a second when
 * nothing is to do.
 * @param options.assumeYes install system packages without asking
 * @throws SetupError with one sentence that says what is missing
 */
export async function setUp(
  options: { assumeYes?: boolean; progress?: Progress } = {},
): Promise<{ engine: EngineRecord }> {
  const progress = options.progress ?? createProgress()
  await ensureSystemPackages(progress, options.assumeYes ?? process.env.CI === "true")
  const engine = await ensureEngine(progress)
  return { engine }
}
