import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Recipe } from "../cloud/recipe.ts"
import { builderEnvironment, onBuilder } from "../cloud/steps.ts"
import { readSteps, type Step } from "../provision.ts"
import { platformEnvironment, platformSteps } from "./build.ts"
import { PLATFORM_PROFILE, platformPackages } from "./definition.ts"
import { type PlatformParts, platformTrees } from "./trees.ts"

const here = dirname(fileURLToPath(import.meta.url))
/** Of the steps around a golden image's, those that a server without a desktop takes as well. */
const SHARED = new Set(["00-host", "02-packages", "94-inventory", "99-seal"])

/** All steps of the server in a cloud, in the order of their numbers. */
export async function platformCloudSteps(): Promise<Step[]> {
  const [own, around, inCloud] = await Promise.all([
    platformSteps(),
    readSteps(join(here, "..", "cloud", "provision")),
    readSteps(join(here, "cloud", "provision")),
  ])
  const all = [...own, ...around.filter(({ name }) => SHARED.has(name)), ...inCloud]
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The image of the service's own server, for a builder in a cloud. */
export const platformRecipe = (parts: PlatformParts): Recipe => ({
  ...{ profile: PLATFORM_PROFILE, commandLines: [] },
  trees: async work => [...(await platformTrees(parts, work)), join(here, "cloud", "rootfs")],
  steps: async image =>
    onBuilder(await platformCloudSteps(), {
      ...platformEnvironment(image, false),
      ...builderEnvironment(platformPackages()),
    }),
})
