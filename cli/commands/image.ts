import { type Command, Option } from "commander"
import { PROFILES, type ProfileName } from "../../image-builder/definition.ts"
import { ImageError } from "../../image-builder/errors.ts"
import type { Level, Result } from "../../image-builder/verify/check.ts"
import { createProgress } from "../../tools/setup/progress.ts"
import { setUp } from "../../tools/setup/setup.ts"
import { readLocalCloud } from "../local-cloud-process.ts"
import { printTable } from "../print-table.ts"
import { addServiceImages } from "./image-service.ts"

const profileOption = () =>
  new Option("--profile <profile>", "what it is for").choices(Object.keys(PROFILES)).default("browser")

/** `foozol-cloud image …`: golden images. The builder is loaded by the command that needs it: it is large. */
export function addImage(program: Command): void {
  const image = program.command("image").description("golden images: what machines are made from")
  image
    .command("build")
    .description("build the golden image of a profile on this machine and verify it; seconds when nothing has changed")
    .addOption(profileOption())
    .action(({ profile }: { profile: ProfileName }) => interruptible(signal => build(profile, signal)))
  image
    .command("verify")
    .description("boot an image and check everything that is promised of it")
    .addOption(profileOption())
    .addOption(new Option("--level <level>", "`quick` is the cheap part").choices(["quick", "full"]).default("full"))
    .option("--image <folder>", "an image's folder (default: the one last built)")
    .option("--json", "print the report as JSON")
    .action((options: VerifyOptions) => interruptible(signal => verifyAgain(options, signal)))
  image
    .command("list")
    .description("show the golden images on this machine")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => list(json ?? false))
  addServiceImages(image)
}

async function build(profile: ProfileName, signal: AbortSignal): Promise<void> {
  const { ensureImage, registerGoldenImage } = await import("../golden-images.ts")
  const progress = createProgress()
  await setUp({ progress })
  const directory = await ensureImage(profile, progress, signal)
  console.log(directory)
  const cloud = readLocalCloud()
  if (!cloud) return
  console.log(`image ${await registerGoldenImage(cloud, profile, directory)} of the local cloud`)
}

interface VerifyOptions {
  profile: ProfileName
  level: Level
  image?: string
  json?: boolean
}

async function verifyAgain({ profile, level, image, json }: VerifyOptions, signal: AbortSignal): Promise<void> {
  const { goldenDirectory, verify } = await import("../golden-images.ts")
  const { storedImages } = await import("../../image-builder/promotion.ts")
  const last = (await storedImages(goldenDirectory())).find(({ manifest }) => manifest.profile === profile)
  const directory = image ?? last?.directory
  if (directory === undefined) {
    throw new ImageError(
      "no-image",
      `There is no image "${profile}": \`foozol-cloud image build --profile ${profile}\` makes one.`,
    )
  }
  const progress = createProgress()
  await setUp({ progress })
  const results: Result[] = []
  try {
    const report = await verify(directory, level, progress, { signal, end: result => results.push(result) })
    if (json) console.log(JSON.stringify(report, null, 2))
  } finally {
    if (!json) printResults(results)
  }
}

/** The checklist as a table, with what was seen cut to a line; the failures' words are above it in full. */
function printResults(results: Result[]): void {
  printTable(
    ["check", "", "seconds", "seen"],
    results.map(({ name, state, seconds, detail }) => [name, state, seconds.toFixed(1), detail.slice(0, 100)]),
  )
}

async function list(json: boolean): Promise<void> {
  const { goldenDirectory } = await import("../golden-images.ts")
  const { storedImages } = await import("../../image-builder/promotion.ts")
  const images = await storedImages(goldenDirectory())
  if (json) return console.log(JSON.stringify(images, null, 2))
  const day = (time: string) => time.slice(0, 16).replace("T", " ")
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
  printTable(
    ["profile", "image", "distribution", "built", "compressed", "on disk", "verified"],
    images.map(({ manifest, verified }) => [
      manifest.profile,
      manifest.hash,
      manifest.distribution,
      day(manifest.builtAt),
      gigabytes(manifest.sizes.compressed),
      gigabytes(manifest.sizes.disk),
      verified === null ? "no" : `${day(verified.at)}, ${verified.results.length} checks`,
    ]),
  )
}

/** Lets an interrupt end the work in order: a machine that is being checked must not stay behind. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ending = new AbortController()
  const stop = () => ending.abort(new ImageError("interrupted", "Interrupted; nothing was promoted."))
  const signals = ["SIGINT", "SIGTERM"] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    await work(ending.signal)
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}
