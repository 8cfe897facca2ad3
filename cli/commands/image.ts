import { join } from "node:path"
import { type Command, Option } from "commander"
import { PROFILES, type ProfileName } from "../../image-builder/definition.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { createProgress } from "../../tools/setup/progress.ts"
import { setUp } from "../../tools/setup/setup.ts"
import { registerImage } from "../first-contents.ts"
import { readLocalCloud } from "../local-cloud-process.ts"

/** `foozol-cloud image …`: golden images. */
export function addImage(program: Command): void {
  const image = program.command("image").description("golden images: what machines are made from")
  image
    .command("build")
    .description("build the golden image of a profile on this machine; seconds when nothing has changed")
    .addOption(new Option("--profile <profile>", "what it is for").choices(Object.keys(PROFILES)).default("browser"))
    .action(async ({ profile }: { profile: ProfileName }) => {
      const progress = createProgress()
      await setUp({ progress })
      const directory = await progress.step(`golden image "${profile}"`, async detail => {
        // A library that is needed here alone, and large.
        const { buildImage } = await import("../../image-builder/build-local.ts")
        return buildImage({ profile, cacheDirectory: join(cacheDirectory(), "golden"), log: detail })
      })
      console.log(directory)
      const cloud = readLocalCloud()
      if (!cloud) return
      const id = await registerImage(cloud, {
        name: profile,
        directory,
        description: `Golden image, profile ${profile}`,
      })
      console.log(`image ${id} of the local cloud`)
    })
}
