import { isIPv4 } from "node:net"
import { buildCloudImage, type CloudBuildOptions, plannedCloudImage } from "../../image-builder/cloud/build-cloud.ts"
import type { BuilderOffer } from "../../image-builder/cloud/builder-offer.ts"
import type { ProfileName } from "../../image-builder/definition.ts"
import { ImageError } from "../../image-builder/errors.ts"
import { createProgress, type Progress } from "../../tools/setup/progress.ts"
import { goldenDirectory } from "../golden-images.ts"
import { readApp } from "./app.ts"
import { openImagePlace, type Where } from "./provider.ts"
import { planText, useText } from "./words.ts"

/** What `foozol-cloud image build --provider …` was told. */
export interface CloudImageOptions extends Where {
  profile: ProfileName
  from?: string
  app?: string
  dryRun?: boolean
  json?: boolean
}

/** What there is now, or would be. */
export interface CloudImageReport {
  provider: Where["provider"]
  project: string
  /** The provider's main project, in which it is chosen what machines are made from. */
  main: string
  profile: ProfileName
  /** Names its content. */
  hash: string
  /** Its id at the provider; null: nothing was made, and a build would make it. */
  image: string | null
  /** False: it was there, or nothing was to be made. */
  isNew: boolean
  builder: BuilderOffer
}

/** What is otherwise in tests. */
type Means = Pick<CloudBuildOptions, "bundle" | "provision"> & {
  signal?: AbortSignal
  env?: NodeJS.ProcessEnv
  progress?: Progress
  cacheDirectory?: string
}

/**
 * Builds a golden image in a project of a cloud, having said what that makes and costs. Nothing of an image that fails or
 * is interrupted stays. Older images stay: operators may have chosen them, and only the service knows that.
 * @throws ImageError `bad-options`, `bad-app`, the signal's reason, and as `buildCloudImage` does; InfraError of settings and
 * of the provider
 */
export async function buildInCloud(options: CloudImageOptions, means: Means = {}): Promise<CloudImageReport> {
  const { profile, from, dryRun } = options
  const { signal, env = process.env, progress = createProgress(), cacheDirectory = goldenDirectory() } = means
  if (from === undefined)
    throw new ImageError("bad-options", "Name the IPv4 address that you build from: --from ADDRESS.")
  if (!isIPv4(from)) throw new ImageError("bad-options", `--from ${from}: that is not an IPv4 address.`)
  if (options.app !== undefined && profile !== "desktop")
    throw new ImageError("bad-options", "--app is for the profile desktop: add --profile desktop, or leave it out.")
  const app = options.app === undefined ? undefined : await readApp(options.app)
  const place = await openImagePlace(options, env)
  const { provider, project, main } = place
  const builder = await provider.offer(signal)
  for (const line of planText({ place, profile, builder, from, app })) progress.say(line)
  const what = {
    ...{ provider, profile, cacheDirectory },
    ...(app ? { app } : {}),
    ...(signal ? { signal } : {}),
    ...(means.bundle ? { bundle: means.bundle } : {}),
  }
  const about = { provider: provider.name, project, main, profile, builder }
  if (dryRun) {
    const { hash, ready } = await plannedCloudImage(what)
    return { ...about, hash, image: ready, isNew: false }
  }
  const made = await progress.step(`golden image "${profile}" at ${provider.name}: build`, detail =>
    buildCloudImage({
      ...{ ...what, operator: from, log: detail, keepsOlder: true },
      ...(means.provision ? { provision: means.provision } : {}),
    }).catch(error => {
      // The engine says in words of its own that it was stopped; a builder that stayed must be heard of.
      if (signal?.aborted && !(error instanceof ImageError && error.id === "builder-left")) throw signal.reason
      throw error
    }),
  )
  return { ...about, hash: made.hash, image: made.id, isNew: made.isNew }
}

/** Prints what came of it: the image on standard output, and by what it is used beside it. */
export function showReport(report: CloudImageReport, json: boolean): void {
  const { image, isNew } = report
  if (json) console.log(JSON.stringify(report, null, 2))
  else if (image === null) console.log("nothing was made; without --dry-run it would be")
  else {
    console.log(`image ${image}${isNew ? "" : " (it is there already: nothing was made)"}`)
    for (const line of useText(report, image)) console.error(line)
  }
}
