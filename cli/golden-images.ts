import { join } from "node:path"
import type { ProfileName } from "../image-builder/definition.ts"
import * as promotion from "../image-builder/promotion.ts"
import type { Level, Result } from "../image-builder/verify/check.ts"
import { type Report, readManifest, verifyImage } from "../image-builder/verify.ts"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { cacheDirectory } from "../tools/setup/paths.ts"
import type { Progress } from "../tools/setup/progress.ts"
import { registerImage } from "./first-contents.ts"
import { imageWorld } from "./image-world.ts"

/** Folder of golden images and of the steps on the way to them. */
export const goldenDirectory = () => join(cacheDirectory(), "golden")

/** Folder of the promoted image of a profile, or null when none is: then `ensureImage` makes one. */
export const promotedImage = (profile: ProfileName): Promise<string | null> =>
  promotion.promotedImage(goldenDirectory(), profile)

/**
 * The golden image of a profile as this checkout defines it, built and promoted; returns its folder. From nothing it
 * takes about ten minutes, with the build's steps kept about half, and seconds when the image is there already.
 * @throws ImageError when a step of the build fails, or `not-verified` when a check does: then the image promoted
 * before stays what it is
 */
export async function ensureImage(profile: ProfileName, progress: Progress, signal?: AbortSignal): Promise<string> {
  const before = await promotedImage(profile)
  // A library that is needed here alone, and large.
  const { buildImage } = await import("../image-builder/build-local.ts")
  const directory = await progress.step(`golden image "${profile}": build`, detail =>
    buildImage({
      profile,
      cacheDirectory: goldenDirectory(),
      log: detail,
      // However many builds fail: the last image that can be used stays.
      inUse: before === null ? [] : [before],
    }),
  )
  if ((await promotion.promotionOf(directory)) !== null) return directory
  await verify(directory, "full", progress, { signal })
  return directory
}

/**
 * Runs the checklist on an image and promotes it when all of it passed.
 * @param about.end hears of each check as it ends
 * @throws ImageError `not-verified`
 */
export async function verify(
  directory: string,
  level: Level,
  progress: Progress,
  { signal, end }: { signal?: AbortSignal | undefined; end?: (result: Result) => void } = {},
): Promise<Report> {
  const world = await imageWorld(goldenDirectory())
  const report = await progress.step(`checklist (${level})`, detail =>
    verifyImage({
      ...{ directory, level, world, signal, evidence: join(goldenDirectory(), "failures") },
      begin: (check, at, of) => detail(`${at}/${of} ${check.name}`),
      end: result => {
        if (result.state === "failed") progress.say(`  failed  ${result.name}: ${result.detail}`)
        end?.(result)
      },
    }),
  )
  await promotion.promote(directory, report)
  return report
}

/** Makes an image known to a local cloud under its profile's name, unless it is; returns its id there. */
export async function registerGoldenImage(
  cloud: Runtime,
  profile: ProfileName | "platform",
  directory: string,
): Promise<number> {
  const { hash } = await readManifest(directory)
  const description = `Golden image, profile ${profile}, ${hash}`
  const answer = await fetch(`${cloud.apiUrl}/images?name=${profile}`, {
    headers: { authorization: `Bearer ${cloud.token}` },
  })
  const { images = [] } = (await answer.json()) as { images?: { id: number; description: string }[] }
  const known = images.find(image => image.description === description)
  return known?.id ?? registerImage(cloud, { name: profile, directory, description })
}
