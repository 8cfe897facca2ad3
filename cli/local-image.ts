import { join } from "node:path"
import type { ProfileName } from "../image-builder/definition.ts"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { cacheDirectory } from "../tools/setup/paths.ts"
import type { Progress } from "../tools/setup/progress.ts"
import { MINI_IMAGE, registerImage } from "./first-contents.ts"

/** Id of the golden image of a profile at the local cloud; built and registered if it is missing. */
export async function localImage(cloud: Runtime, profile: ProfileName, progress: Progress): Promise<number> {
  // Pretended machines boot nothing, so any image will do.
  if (cloud.machines === "none") {
    return registerImage(cloud, { name: MINI_IMAGE, directory: "/nonexistent", description: "pretended" })
  }
  const directory = await progress.step(`golden image "${profile}" (about 3 minutes when it is new)`, async detail => {
    // A library that is needed here alone, and large.
    const { buildImage } = await import("../image-builder/build-local.ts")
    return buildImage({ profile, cacheDirectory: join(cacheDirectory(), "golden"), log: detail })
  })
  return registerImage(cloud, { name: profile, directory, description: `Golden image, profile ${profile}` })
}
