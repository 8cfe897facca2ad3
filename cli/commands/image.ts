import { type Command, Option } from "commander"
import { PROFILES, type ProfileName } from "../../image-builder/definition.ts"
import { ImageError } from "../../image-builder/errors.ts"
import type { Level, Result } from "../../image-builder/verify/check.ts"
import { createProgress } from "../../tools/setup/progress.ts"
import { setUp } from "../../tools/setup/setup.ts"
import type { CloudImageOptions } from "../cloud-image/build.ts"
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
    .description(
      "build the golden image of a profile on this machine and verify it, or in a cloud; seconds when nothing has changed",
    )
    .addOption(profileOption())
    .addOption(
      new Option("--provider <provider>", "build it in a project of this cloud, on a builder that is paid for").choices(
        ["hetzner", "gcp"],
      ),
    )
    .option("--from <address>", "in a cloud: the IPv4 address you build from, the only one that reaches the builder")
    .option("--region <region>", "in a cloud: where the builder stands (default: fsn1; the first of FOOZOL_GCP_ZONES)")
    .option("--project <name>", "in a cloud: main or one of FOOZOL_PROJECTS; one of FOOZOL_GCP_PROJECTS")
    .option("--app <file>", "in a cloud: the app of the profile desktop, described in a JSON file (see below)")
    .option("--dry-run", "in a cloud: only say what would be made, and what it costs")
    .option("--json", "in a cloud: print JSON")
    .addHelpText("after", BUILD_HELP)
    .action(buildAnywhere)
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

interface BuildOptions extends Partial<Omit<CloudImageOptions, "profile">> {
  profile: ProfileName
}

async function buildAnywhere({ provider, ...options }: BuildOptions): Promise<void> {
  if (provider === undefined) {
    const { profile, ...further } = options
    const [first] = Object.keys(further).map(name => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`))
    if (first === undefined) return interruptible(signal => build(profile, signal))
    throw new ImageError(
      "bad-options",
      `--${first} is for an image in a cloud: name it with --provider hetzner or --provider gcp.`,
    )
  }
  const { buildInCloud, showReport } = await import("../cloud-image/build.ts")
  return interruptible(
    async signal => showReport(await buildInCloud({ ...options, provider }, { signal }), options.json ?? false),
    {
      why: "Interrupted: the builder is removed and no image was made.",
      again: "Still removing the builder, which would cost money: this takes a minute or two …",
    },
  )
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

/**
 * Lets an interrupt end the work in order: a machine that is being checked must not stay behind.
 * @param about.again said at further interrupts, which then change nothing; left out, the second one ends the process
 */
async function interruptible(
  work: (signal: AbortSignal) => Promise<void>,
  { why = "Interrupted; nothing was promoted.", again }: { why?: string; again?: string } = {},
): Promise<void> {
  const ending = new AbortController()
  const stop = () => {
    if (ending.signal.aborted) console.error(again)
    ending.abort(new ImageError("interrupted", why))
  }
  const signals = ["SIGINT", "SIGTERM"] as const
  for (const signal of signals) again === undefined ? process.once(signal, stop) : process.on(signal, stop)
  try {
    await work(ending.signal)
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}

const BUILD_HELP = `
In a cloud it needs HCLOUD_TOKEN, or FOOZOL_GCP_PROJECTS with GOOGLE_OAUTH_ACCESS_TOKEN or FOOZOL_GCP_CREDENTIALS. What it
makes and costs is said first; the builder goes away at the end, however that is, and at Ctrl-C.

An app is a JSON file, one of:
  { "kind": "deb", "url": "https://…", "sha256": "…", "start": "./opt/thing/thing" }     also: appimage, tarball
  { "kind": "npm", "package": "thing@1.2.3", "start": "node_modules/.bin/thing" }
\`start\` is its command line, run in the folder /opt/foozol-app of the machine.

Examples:
  foozol-cloud image build --profile browser
  foozol-cloud image build --profile browser --provider hetzner --from 203.0.113.7 --dry-run
  foozol-cloud image build --profile desktop --provider gcp --region europe-west3-a --from 203.0.113.7 --app app.json`
