import { type Bundle, bundle } from "../bundles.ts"
import { COMMAND_LINES, PROFILES, type ProfileName } from "../definition.ts"
import type { Manifest } from "../manifest.ts"
import { imageTrees } from "./image-files.ts"
import { cloudSteps, type RemoteStep, remoteSteps } from "./steps.ts"

/** What an image in a cloud is made of, whatever it is for. */
export interface Recipe {
  profile: Manifest["profile"]
  commandLines: string[]
  /** Makes its files, as folders of which a later one's file takes the place of an earlier one's. */
  trees(work: string): Promise<string[]>
  /** Its steps for a host of Ubuntu 24.04. @param image its hash; @param registry where the builder gets npm packages */
  steps(image: string, registry: string): Promise<RemoteStep[]>
}

/** A golden image for workspaces. */
export const goldenRecipe = (profile: ProfileName, own: Bundle = bundle): Recipe => ({
  ...{ profile, commandLines: COMMAND_LINES },
  trees: work => imageTrees(profile, work, own),
  steps: async (image, registry) => remoteSteps(await cloudSteps(), PROFILES[profile], image, registry),
})
