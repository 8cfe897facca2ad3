import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { appLayer } from "./app.ts"
import { type Archive, findArchive } from "./archive.ts"
import { asRoot, checkRights } from "./as-root.ts"
import { baseSystem } from "./base-system.ts"
import { usedBytes, writeBootFiles } from "./boot-files.ts"
import { type Bundle, bundle } from "./bundles.ts"
import { commandLines, copyTree } from "./command-lines.ts"
import { directoriesHash, valueHash } from "./content-hash.ts"
import * as definition from "./definition.ts"
import { checkRoom, compressedBytes, makeDisk } from "./disk.ts"
import { buildLayers, type Layer } from "./layers.ts"
import { installedPackages, type Manifest, manifest } from "./manifest.ts"
import { provision, readSteps, stepEnvironment } from "./provision.ts"
import { run } from "./run.ts"

const here = dirname(fileURLToPath(import.meta.url))
const keptImages = 2
const ownSteps = join(here, "provision")

/** What to build, and where. */
export interface BuildOptions {
  profile: definition.ProfileName
  /** Kept between builds: finished images and the steps on the way to them. */
  cacheDirectory: string
  log: (line: string) => void
  /** Images that are in use and so stay, by their directories. */
  inUse?: string[]
  /** The app of the profile `desktop`; without one its user is welcomed by a page. */
  app?: definition.AppSource
  archive?: Archive
  bundle?: Bundle
  /** Folder of the provisioning steps; this one's own unless a test has others. */
  provisionDirectory?: string
}

/**
 * Builds the golden image of a profile on this computer and returns its directory: `disk.qcow2`, `kernel`, `initrd`,
 * `cmdline` and `manifest.json`, as the local cloud imports it. Its name tells the hash of all it is made of, so with
 * nothing changed this returns at once.
 */
export async function buildImage(options: BuildOptions): Promise<string> {
  const archive = options.archive ?? (await findArchive())
  return makeImage({
    ...options,
    archive,
    commandLines: definition.COMMAND_LINES,
    async prepare(work) {
      const bundled = join(work, "bundle")
      await mkdir(bundled)
      await (options.bundle ?? bundle)(bundled)
      const hash = await imageHash(options, archive, bundled)
      return { hash, layers: () => layers(options, archive, bundled, hash) }
    },
  })
}

/** What is made into an image, whatever it is for. */
export interface MakeOptions {
  profile: Manifest["profile"]
  cacheDirectory: string
  log: (line: string) => void
  inUse?: string[]
  archive: Archive
  commandLines: string[]
  /** Makes its files below a folder, and says what the image is made of. */
  prepare(work: string): Promise<{ hash: string; layers: () => Layer[] }>
}

/** Makes the image, or finds it where its hash says that it is there. @returns its directory */
export async function makeImage(options: MakeOptions): Promise<string> {
  const { profile, cacheDirectory, log, archive, inUse = [] } = options
  await mkdir(cacheDirectory, { recursive: true })
  const work = await mkdtemp(join(cacheDirectory, "building-"))
  try {
    const { hash, layers } = await options.prepare(work)
    const target = join(cacheDirectory, `image-${profile}-${hash}`)
    if (existsSync(target)) {
      await utimes(target, new Date(), new Date())
      return target
    }
    await checkRoom(cacheDirectory)
    await checkRights()
    const root = join(work, "root")
    await buildLayers(layers(), { root, cacheDirectory, log })
    const result = join(work, "result")
    await mkdir(result)
    log("disk …")
    const kernel = await writeBootFiles(root, result)
    await makeDisk(root, work, result)
    log("compressed copy …")
    const sizes = {
      content: await usedBytes(root),
      disk: (await stat(join(result, "disk.qcow2"))).size,
      compressed: await compressedBytes(result, work),
    }
    const about = manifest(
      { hash, profile, kernel, packages: await installedPackages(root), sizes, commandLines: options.commandLines },
      archive,
      new Date(),
    )
    await writeFile(join(result, "manifest.json"), `${JSON.stringify(about, null, 2)}\n`)
    await rename(result, target).catch(error => {
      // Two builds of the same at once: both made the same image, and the first one's stays.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
    })
    await pruneImages(cacheDirectory, profile, [target, ...inUse])
    return target
  } finally {
    await run(asRoot(["rm", "-rf", work]))
  }
}

/** The name of the image: the hash of everything it is made of. */
export async function imageHash(
  { profile, app, provisionDirectory = ownSteps }: Pick<BuildOptions, "profile" | "app" | "provisionDirectory">,
  archive: Pick<Archive, "distribution" | "suite">,
  bundled: string,
): Promise<string> {
  const trees = ["rootfs", "local", "initramfs", join("profiles", profile)].map(name => join(here, name))
  const files = await directoriesHash([...trees.filter(tree => existsSync(tree)), provisionDirectory, bundled])
  const bootFiles = await readFile(join(here, "boot-files.ts"), "utf8")
  const data = { ...definition, PROFILES: definition.PROFILES[profile] }
  const packages = definition.packagesOf(definition.PROFILES[profile], archive.distribution)
  return valueHash([data, packages, archive.suite, app ?? null, bootFiles, files])
}

function layers(
  { profile, cacheDirectory, log, app, provisionDirectory = ownSteps }: BuildOptions,
  archive: Archive,
  bundled: string,
  hash: string,
): Layer[] {
  const logs = join(cacheDirectory, "logs")
  const packages = definition.packagesOf(definition.PROFILES[profile], archive.distribution)
  const system: Layer = {
    name: "system",
    inputs: hash,
    keep: false,
    async apply(root) {
      const trees = ["rootfs", join("profiles", profile, "rootfs"), join("local", "rootfs")]
      for (const tree of [...trees.map(name => join(here, name)), bundled]) {
        if (existsSync(tree)) await run(["sh", "-euc", copyTree, "sh", tree, root])
      }
      const environment = stepEnvironment(definition.PROFILES[profile], hash, true)
      const steps = await readSteps(provisionDirectory)
      await provision(steps, { root, logDirectory: join(logs, profile), environment, log })
    },
  }
  return [
    makingLogs(logs, baseSystem(archive, packages, { logFile: join(logs, "base.log"), log })),
    commandLines({ cacheDirectory, logFile: join(logs, "tools.log"), log }),
    ...(app === undefined ? [] : [appLayer(app, { cacheDirectory, logFile: join(logs, "app.log") })]),
    system,
  ]
}

/** The layer, with a folder for its logs. */
export function makingLogs(directory: string, layer: Layer): Layer {
  return {
    ...layer,
    apply: async root => {
      await mkdir(directory, { recursive: true })
      await layer.apply(root)
    },
  }
}

async function pruneImages(cacheDirectory: string, profile: string, needed: string[]): Promise<void> {
  const names = (await readdir(cacheDirectory)).filter(name => name.startsWith(`image-${profile}-`))
  const images = await Promise.all(
    names.map(async name => {
      const path = join(cacheDirectory, name)
      return { path, at: (await stat(path)).mtimeMs }
    }),
  )
  const old = images.sort((a, b) => b.at - a.at).slice(keptImages)
  for (const { path } of old) if (!needed.includes(path)) await rm(path, { recursive: true, force: true })
}
