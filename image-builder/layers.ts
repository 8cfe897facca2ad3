import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises"
import { join } from "node:path"
import { asRoot } from "./as-root.ts"
import { valueHash } from "./content-hash.ts"
import { run } from "./run.ts"

/** One step of making a root filesystem, on top of those before it. */
export interface Layer {
  name: string
  /** Everything the result depends on, besides the layers before. */
  inputs: unknown
  /** Whether the result is kept for the next build: worth its disk where making it takes long. */
  keep: boolean
  apply(root: string): Promise<void>
}

/** How many results of one layer are kept: the last, and one to go back to. */
const keptOfEach = 2

/**
 * Makes `root` out of the layers, beginning at the last of them whose result is kept from an earlier build.
 * A result gets its name only when it is complete, so an interrupted build leaves nothing that a later one would use.
 */
export async function buildLayers(
  layers: Layer[],
  { root, cacheDirectory, log }: { root: string; cacheDirectory: string; log: (line: string) => void },
): Promise<void> {
  await mkdir(cacheDirectory, { recursive: true })
  const files = layerFiles(layers).map(name => join(cacheDirectory, name))
  let done = layers.length
  while (done > 0 && !(await exists(files[done - 1]))) done--
  await mkdir(root)
  const start = files[done - 1]
  if (start !== undefined) {
    log(`${layers[done - 1]?.name}: unchanged`)
    await run(asRoot(["tar", "--extract", "--numeric-owner", "--xattrs", "--file", start, "--directory", root]))
    await utimes(start, new Date(), new Date())
  }
  for (const [index, layer] of layers.entries()) {
    if (index < done) continue
    const began = Date.now()
    log(`${layer.name} …`)
    await layer.apply(root)
    const file = files[index]
    if (layer.keep && file !== undefined) await pack(root, cacheDirectory, file)
    log(`${layer.name}: ${((Date.now() - began) / 1000).toFixed(1)} s`)
  }
  await pruneLayers(layers, cacheDirectory)
}

/** The file name of each layer's result: it tells the inputs of the layer and of all before it. Pure. */
export function layerFiles(layers: Pick<Layer, "name" | "inputs">[]): string[] {
  let below = ""
  return layers.map(({ name, inputs }) => {
    below = valueHash([below, name, inputs])
    return `layer-${name}-${below}.tar`
  })
}

async function pack(root: string, cacheDirectory: string, file: string): Promise<void> {
  const work = await mkdtemp(join(cacheDirectory, "packing-"))
  try {
    const unfinished = join(work, "layer.tar")
    await run(
      asRoot(["tar", "--create", "--numeric-owner", "--xattrs", "--file", unfinished, "--directory", root, "."]),
    )
    await rename(unfinished, file)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function pruneLayers(layers: Layer[], cacheDirectory: string): Promise<void> {
  const names = await readdir(cacheDirectory)
  for (const { name } of layers) {
    const files = names.filter(file => file.startsWith(`layer-${name}-`)).map(file => join(cacheDirectory, file))
    const ages = await Promise.all(files.map(async file => ({ file, at: (await stat(file)).mtimeMs })))
    const old = ages.sort((a, b) => b.at - a.at).slice(keptOfEach)
    await Promise.all(old.map(({ file }) => rm(file, { force: true })))
  }
}

async function exists(path: string | undefined): Promise<boolean> {
  if (path === undefined) return false
  return stat(path).then(
    () => true,
    () => false,
  )
}
