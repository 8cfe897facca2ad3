import type { CloudConfig } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import type { Runtime } from "../../local-cloud/runtime-file.ts"
import { createProgress, type Progress } from "../../tools/setup/progress.ts"
import { ensureImage, goldenDirectory, promotedImage, registerGoldenImage } from "../golden-images.ts"
import { engineForImage, ensurePlatformImage } from "./image.ts"
import { isLocal } from "./plan.ts"

/**
 * Makes the platform's image where it is needed.
 * @param from the IPv4 address from which a builder at Hetzner is reached
 * @returns its id there
 */
export async function makeImage(config: CloudConfig, local: Runtime | null, from?: string): Promise<number> {
  const progress = createProgress()
  if (local && isLocal(config, local)) return (await localImages(local, progress, { hasGolden: true })).platform
  if (from === undefined)
    throw new InfraError("invalid-settings", "fail", "Name the IPv4 address that you build from: --from ADDRESS.")
  const { buildCloudImage } = await import("../../image-builder/cloud/build-cloud.ts")
  const { hetznerImageProvider } = await import("../../image-builder/cloud/image-provider.ts")
  const { platformRecipe } = await import("../../image-builder/platform/recipe.ts")
  return progress.step("image of the platform: build", async detail => {
    const parts = { engine: engineForImage(), cacheDirectory: goldenDirectory(), log: detail }
    const made = await buildCloudImage({
      ...{ provider: hetznerImageProvider(config), operator: from, cacheDirectory: goldenDirectory(), log: detail },
      ...{ profile: "platform", recipe: platformRecipe(parts) },
    })
    return Number(made.id)
  })
}

/**
 * The images at the local cloud, of the platform and of workspaces; built and made known there if they are not.
 * @param given the id of the platform's image where one is named, and whether those of workspaces are named elsewhere
 */
export async function localImages(
  cloud: Runtime,
  progress: Progress,
  { platform: named, hasGolden = false }: { platform?: string | undefined; hasGolden?: boolean } = {},
): Promise<{ platform: number; golden: { browser?: number; desktop?: number } }> {
  const platform =
    named === undefined
      ? await registerGoldenImage(cloud, "platform", await ensurePlatformImage(progress))
      : Number(named)
  if (hasGolden) return { platform, golden: {} }
  const browser = await registerGoldenImage(cloud, "browser", await ensureImage("browser", progress))
  const desktop = await promotedImage("desktop")
  return {
    platform,
    golden: { browser, ...(desktop ? { desktop: await registerGoldenImage(cloud, "desktop", desktop) } : {}) },
  }
}
