import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Archive, findArchive } from "../archive.ts"
import { baseSystem } from "../base-system.ts"
import { commandLine } from "../boot-files.ts"
import { makeImage, makingLogs } from "../build-local.ts"
import { copyTree } from "../command-lines.ts"
import { directoriesHash, valueHash } from "../content-hash.ts"
import type { Layer } from "../layers.ts"
import { provision, readSteps } from "../provision.ts"
import { run } from "../run.ts"
import { PLATFORM_PROFILE, PLATFORM_UNITS, platformDefinition, platformPackages } from "./definition.ts"
import { type PlatformParts, platformTrees } from "./trees.ts"

const here = dirname(fileURLToPath(import.meta.url))

/** What every step may ask for. Pure. */
export const platformEnvironment = (image: string, isLocal: boolean): Record<string, string> => ({
  ...{ PROFILE: PLATFORM_PROFILE, UNITS: PLATFORM_UNITS.join(" "), IMAGE: image, LOCAL: isLocal ? "1" : "0" },
})

export const platformSteps = () => readSteps(join(here, "provision"))

/**
 * Builds the image of the service's own server on this computer and returns its directory, as `buildImage` does for
 * golden images. Minutes from nothing, a minute where only the service's code has changed.
 */
export async function buildPlatformImage(parts: PlatformParts & { archive?: Archive }): Promise<string> {
  const { cacheDirectory, log } = parts
  const archive = parts.archive ?? (await findArchive())
  await mkdir(cacheDirectory, { recursive: true })
  return makeImage({
    ...{ profile: PLATFORM_PROFILE, cacheDirectory, log, archive, commandLines: [] },
    async prepare(work) {
      // Below a golden image's own; what the local cloud's machines start with is the same for both.
      const trees = [...(await platformTrees(parts, work)), join(here, "..", "local", "rootfs")]
      const names = await directoriesHash([...trees, join(here, "provision"), join(here, "..", "initramfs")])
      const hash = valueHash([platformDefinition, archive.suite, commandLine, names])
      return { hash, layers: () => layers({ cacheDirectory, log }, archive, trees, hash) }
    },
  })
}

function layers(about: Pick<PlatformParts, "cacheDirectory" | "log">, archive: Archive, trees: string[], hash: string) {
  const { cacheDirectory, log } = about
  const logs = join(cacheDirectory, "logs")
  const base = baseSystem(archive, platformPackages(), { logFile: join(logs, "platform-base.log"), log })
  const system: Layer = {
    name: "platform-system",
    inputs: hash,
    keep: false,
    async apply(root) {
      for (const tree of trees) if (existsSync(tree)) await run(["sh", "-euc", copyTree, "sh", tree, root])
      const environment = platformEnvironment(hash, true)
      await provision(await platformSteps(), { root, logDirectory: join(logs, PLATFORM_PROFILE), environment, log })
    },
  }
  // A name of its own: of each name only the two newest are kept.
  return [makingLogs(logs, { ...base, name: "platform-base" }), system]
}
