import { basename } from "node:path"
import { buildPlatformImage } from "../../image-builder/platform/build.ts"
import type { PlatformEngine } from "../../image-builder/platform/definition.ts"
import { InfraError } from "../../infra/errors.ts"
import { readEngineRecord } from "../../tools/setup/engine.ts"
import { enginePaths } from "../../tools/setup/paths.ts"
import type { Progress } from "../../tools/setup/progress.ts"
import { goldenDirectory } from "../golden-images.ts"

/** The engine of this machine's set-up, which the image gets. @throws InfraError `engine-missing` */
export function engineForImage(): PlatformEngine {
  const engine = readEngineRecord()
  if (engine) return { key: basename(enginePaths().directory), ...engine }
  throw new InfraError(
    "engine-missing",
    "fail",
    "The Pulumi engine is not set up on this machine: run `npm run setup`.",
  )
}

/** The platform's image, built on this machine; returns its folder. */
export const ensurePlatformImage = (progress: Progress): Promise<string> =>
  progress.step("image of the platform: build", detail =>
    buildPlatformImage({ cacheDirectory: goldenDirectory(), log: detail, engine: engineForImage() }),
  )
