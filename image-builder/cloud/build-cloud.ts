import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { isIPv4 } from "node:net"
import { join } from "node:path"
import type { RunOptions } from "../../infra/engine.ts"
import type { Snapshot } from "../../infra/machines/contract.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Bundle } from "../bundles.ts"
import type { AppSource } from "../definition.ts"
import { ImageError } from "../errors.ts"
import { type Manifest, manifest } from "../manifest.ts"
import { run } from "../run.ts"
import { type Build, imageLabels, type Provision, type Stage } from "./builder.ts"
import { makeBuilderKeys } from "./builder-keys.ts"
import { cloudImageHash, packFiles } from "./image-files.ts"
import { imagesToPrune, readyImage } from "./image-list.ts"
import type { ImageProvider } from "./image-provider.ts"
import { readInventory } from "./inventory.ts"
import { overSsh } from "./over-ssh.ts"
import { goldenRecipe, type Recipe } from "./recipe.ts"
import { BUILDER_SYSTEM } from "./steps.ts"

/** What to build, and where. */
export interface CloudBuildOptions {
  provider: ImageProvider
  profile: Manifest["profile"]
  /** The IPv4 address of whoever builds, as the provider sees it: the builder lets in nobody else. */
  operator: string
  /** Gets the log of each build and the manifest of each image. */
  cacheDirectory: string
  log: (line: string) => void
  app?: AppSource
  /** Images that stay though no machine is made from them now: those that workspaces name. */
  inUse?: string[]
  /** Removes none of the older images: whoever builds does not know which of them are chosen or named somewhere. */
  keepsOlder?: boolean
  signal?: AbortSignal
  /** Tries the image out before it may be used, by its id; whoever rejects it throws. */
  check?: (imageId: string) => Promise<void>
  bundle?: Bundle
  /** What it is made of; a golden image of the profile unless something else is given. */
  recipe?: Recipe
  /** Another way to provision than over SSH, made for the files' archive. */
  provision?: (archive: string) => Provision
}

/** A golden image that may be used. */
export interface CloudImage {
  /** Its id at the provider: what a workspace's spec names as its image. */
  id: string
  hash: string
  /** Whether this build made it; else it was there. */
  isNew: boolean
}

/**
 * Builds the golden image of a profile in a cloud. An image of this hash that is there already is taken as it is. The
 * builder goes away whatever happens, and an image that is not good with it. One build of a profile at a time: a second
 * one would take the first one's builder for a leftover.
 * @throws ImageError `step-failed`, `builder-left`, `bad-address`; InfraError for what the engine and the provider say
 */
export async function buildCloudImage(options: CloudBuildOptions): Promise<CloudImage> {
  const { provider, profile, cacheDirectory, log } = options
  const call = options.signal ? { signal: options.signal } : {}
  if (!isIPv4(options.operator))
    throw new ImageError("bad-address", `"${options.operator}" is not an IPv4 address; name the one you build from.`)
  await mkdir(cacheDirectory, { recursive: true })
  const work = await mkdtemp(join(cacheDirectory, "building-"))
  const logFile = join(cacheDirectory, `cloud-${provider.name}-${profile}.log`)
  // No workspace can have this name.
  const stack = ["image", provider.name, profile, ...(provider.project === null ? [] : [provider.project])].join("_")
  try {
    const { recipe, trees, registry, hash, ready } = await contentOf(options, work)
    // A build that was killed left its builder: it costs money, needed or not.
    await removeBuilder(provider, stack, options.signal)
    if (ready) return { id: ready.id, hash, isNew: false }
    await removeImages(provider, await provider.images.list(imageLabels({ profile, hash }, "candidate"), call))

    await provider.prepare(options.provision ? [] : ["command"], options.signal)
    await rm(logFile, { force: true })
    const archive = await packFiles(trees, options.app, work, logFile)
    const provision = options.provision?.(archive) ?? overSsh(await recipe.steps(hash, registry), archive)
    const build = { stack, profile, hash, operator: options.operator, keys: makeBuilderKeys(), provision }
    const made = await onBuilder(options, build, logFile)
    const image = { id: made.id, hash, isNew: true }
    const file = join(cacheDirectory, `cloud-${provider.name}-${profile}-${hash}.json`)
    await writeFile(file, `${JSON.stringify(made.manifest, null, 2)}\n`)
    await succeed(options, image.id)
    if (!options.keepsOlder) await prune(options, image.id)
    log(`image ${image.id}`)
    return image
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Planned = Omit<CloudBuildOptions, "operator" | "log" | "provision" | "check" | "inUse" | "keepsOlder">

/** The hash of the image that a build would lead to, and the id of the one of this content that is there already. Makes nothing. */
export async function plannedCloudImage(options: Planned): Promise<{ hash: string; ready: string | null }> {
  await mkdir(options.cacheDirectory, { recursive: true })
  const work = await mkdtemp(join(options.cacheDirectory, "building-"))
  try {
    const { hash, ready } = await contentOf(options, work)
    return { hash, ready: ready?.id ?? null }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** What an image is made of, and the usable one of the same content at the provider. */
async function contentOf(options: Planned, work: string) {
  const { provider, profile, app, signal } = options
  const recipe = recipeOf(options)
  const trees = await recipe.trees(work)
  // The one that whoever builds has set for npm, as in a local build.
  const registry = (await run(["npm", "config", "get", "registry"])).trim()
  const hash = await cloudImageHash(trees, await recipe.steps("", registry), app)
  const known = await provider.images.list(imageLabels({ profile, hash }, "ready"), signal ? { signal } : {})
  return { recipe, trees, registry, hash, ready: readyImage(known) }
}

function recipeOf({ recipe, profile, bundle }: Pick<CloudBuildOptions, "recipe" | "profile" | "bundle">): Recipe {
  if (recipe) return recipe
  if (profile === "platform") throw new ImageError("no-recipe", "An image of the platform needs its recipe.")
  return goldenRecipe(profile, bundle)
}

type Made = { id: string; manifest: Manifest }

/** Brings builder and image from stage to stage; the builder ends with this, and the image unless all went well. */
async function onBuilder(options: CloudBuildOptions, build: Omit<Build, "stage">, logFile: string): Promise<Made> {
  const { provider, log } = options
  const { stack, profile, hash } = build
  const made = await throughStages(options, build, logFile).catch(async error => {
    log("removing the builder and what it made …")
    // Aborted or not, this is done to its end. The image's record goes with the stack, so the builder goes first.
    await removeBuilder(provider, stack)
      .then(async () => {
        for (const state of ["candidate", "ready"] as const)
          await removeImages(provider, await provider.images.list(imageLabels({ profile, hash }, state)))
      })
      .catch(why => {
        throw leftBehind((error as Error).message, why, logFile)
      })
    throw error
  })
  log("removing the builder …")
  await removeBuilder(provider, stack).catch(why => {
    throw leftBehind(`The image ${made.id} is made.`, why, logFile)
  })
  return made
}

const leftBehind = (before: string, why: Error, logFile: string) =>
  new ImageError(
    "builder-left",
    `${before} Its builder could not be removed: ${why.message} It costs money: build again, which removes it first, or remove by hand what has the label ${IMAGE_LABELS.builder}.`,
    logFile,
  )

async function throughStages(options: CloudBuildOptions, build: Omit<Build, "stage">, logFile: string): Promise<Made> {
  const { provider, signal, log } = options
  const { profile, hash } = build
  const up = async (stage: Stage) => {
    const program = await provider.program({ ...build, stage })
    return (await stageRun(options, logFile, run => provider.engine.up(build.stack, program, run))).outputs
  }
  log("builder …")
  const builder = await up("builder")
  const { kernel, packages, content, disk } = readInventory(String(builder.inventory))
  log("powering off …")
  await provider.powerOff(String(builder.builderId), signal)
  log("image …")
  const id = String((await up("candidate")).imageId)
  const image = (await provider.images.list(imageLabels(build, "candidate"))).find(one => one.id === id)
  if (image?.state !== "available")
    throw new ImageError("no-image", `${provider.name} does not have the new image ${id} as available; build again.`)
  const sizes = { content, disk, compressed: image.bytes ?? 0 }
  const { commandLines } = recipeOf(options)
  const about = manifest({ hash, profile, kernel, packages, sizes, commandLines }, BUILDER_SYSTEM, new Date())
  if (options.check) {
    log("checking the image …")
    await options.check(id)
  }
  signal?.throwIfAborted()
  await up("ready")
  return { id, manifest: about }
}

/** One engine run whose steps and lines are told and logged; a step that fails is named. */
async function stageRun<T>(
  { signal, log, provider }: CloudBuildOptions,
  logFile: string,
  work: (options: RunOptions) => Promise<T>,
): Promise<T> {
  let failed: string | null = null
  let written = Promise.resolve()
  const write = (line: string) => {
    written = written.then(() => appendFile(logFile, `${line}\n`))
  }
  try {
    return await work({
      ...(signal ? { signal } : {}),
      onLine(resource, line) {
        write(`${resource}: ${line}`)
        log(`  ${line}`)
      },
      onEvent(event) {
        if (event.type === "diagnostic") write(`${event.resource ?? "engine"}: ${event.message}`)
        if (event.type !== "resource") return
        if (event.state === "begun" && event.change === "create")
          log(event.kind.startsWith("command:") ? event.name : (event.kind.split(":").at(-1) ?? event.name))
        if (event.state === "failed" && event.kind.startsWith("command:")) failed = event.name
      },
    })
  } catch (error) {
    if (failed === null || signal?.aborted) throw error
    await written
    throw new ImageError("step-failed", `The step ${failed} failed at ${provider.name}; no image was made.`, logFile)
  } finally {
    await written
  }
}

async function removeBuilder(provider: ImageProvider, stack: string, signal?: AbortSignal): Promise<void> {
  await provider.engine.destroy(stack, signal ? { signal } : {})
  // What a lost answer kept out of the state.
  await provider.images.removeBuilder(stack, signal ? { signal } : {})
}

async function removeImages(provider: ImageProvider, images: Snapshot[]): Promise<void> {
  for (const { id } of images) await provider.images.remove(id)
}

/**
 * Whoever asks the provider for the family gets the newest; the others are marked as outdated. The image is made and good:
 * an abort comes too late for it.
 */
async function succeed({ provider, profile }: CloudBuildOptions, newest: string): Promise<void> {
  const images = await provider.images.list({ [LABELS.managedBy]: MANAGER, [IMAGE_LABELS.profile]: profile })
  const older = images.filter(({ id, labels }) => id !== newest && labels[IMAGE_LABELS.state] === "ready")
  await provider.images.succeed?.(newest, `foozol-${profile}`, older)
}

async function prune({ provider, profile, inUse = [], log }: CloudBuildOptions, newest: string): Promise<void> {
  const ofProfile = { [LABELS.managedBy]: MANAGER, [IMAGE_LABELS.profile]: profile }
  const [images, used] = await Promise.all([provider.images.list(ofProfile), provider.images.inUse()])
  const old = imagesToPrune(images, [newest, ...used, ...inUse])
  for (const { id, description } of old) log(`removing ${id}: ${description}`)
  await removeImages(provider, old)
}
