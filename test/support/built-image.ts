import { goldenDirectory } from "../../cli/golden-images.ts"
import { buildImage } from "../../image-builder/build-local.ts"
import type { ProfileName } from "../../image-builder/definition.ts"
import { ImageError } from "../../image-builder/errors.ts"
import { skipSuite } from "./skip.ts"

/** What a system may lack so that images cannot be built on it at all; everything else is a failure. */
const LACKS = ["no-archive", "missing-program"]

/**
 * Folder of this checkout's golden image, built when it is not in the cache; on a system where none can be built the
 * suite is skipped with the reason.
 */
export async function builtImage(hook: Mocha.Context, profile: ProfileName): Promise<string> {
  try {
    const log = (line: string) => process.env.VERBOSE && console.log(line)
    return await buildImage({ profile, cacheDirectory: goldenDirectory(), log })
  } catch (error) {
    if (!(error instanceof ImageError) || !LACKS.includes(error.id)) throw error
    return skipSuite(hook, error.message)
  }
}
