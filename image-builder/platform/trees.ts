import { existsSync } from "node:fs"
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises"
import { arch } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundleAcme, compiled } from "../bundles.ts"
import { valueHash } from "../content-hash.ts"
import { NODE_VERSION } from "../definition.ts"
import { ImageError } from "../errors.ts"
import { run } from "../run.ts"
import type { PlatformEngine } from "./definition.ts"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "..", "..")

/** What of the checkout the server runs: the service, and the command line with all that it knows. */
const CODE = ["service", "infra", "cli", "image-builder", "local-cloud", "tools", "package.json", "LICENSE"]
/** Large, and needed by none of it on a server. */
const UNUSED = ["@pulumi/gcp", "node"]
const APP = "opt/foozol"

/** How to make the files. */
export interface PlatformParts {
  engine: PlatformEngine
  /** Gets the installed packages, which are the same as long as the lock file is. */
  cacheDirectory: string
  log: (line: string) => void
}

/** Folders of files as they lie on the server; a later one's file takes the place of an earlier one's. */
export async function platformTrees(parts: PlatformParts, work: string): Promise<string[]> {
  const packages = await installedPackages(parts)
  const own = join(work, "platform")
  await code(own)
  await keeper(own)
  await engine(parts.engine, own)
  return [packages, join(here, "rootfs"), own]
}

/** node_modules of production and Node itself, as the lock file says, by the builder's npm. */
async function installedPackages({ cacheDirectory, log }: PlatformParts): Promise<string> {
  const lock = await readFile(join(root, "package-lock.json"), "utf8")
  const node = `node-linux-${arch()}@${NODE_VERSION}`
  const name = `platform-packages-${valueHash([lock, node, UNUSED])}`
  const target = join(cacheDirectory, name)
  if (existsSync(target)) return target
  log("packages of the service …")
  const work = await mkdtemp(join(cacheDirectory, "npm-"))
  const logFile = join(cacheDirectory, "platform-packages.log")
  const npm = (args: string[], cwd: string) =>
    run(["npm", ...args, "--ignore-scripts", "--no-audit", "--no-fund"], { cwd, logFile })
  try {
    const app = join(work, "tree", APP)
    await mkdir(app, { recursive: true })
    for (const file of ["package.json", "package-lock.json"]) await copyFile(join(root, file), join(app, file))
    await npm(["ci", "--omit=dev"], app)
    for (const unused of UNUSED) await rm(join(app, "node_modules", unused), { recursive: true, force: true })
    await npm(["install", "--prefix", join(work, "node"), node], work)
    await mkdir(join(work, "tree/usr/bin"), { recursive: true })
    const binary = join(work, "node/node_modules", node.replace(/@.*/, ""), "bin/node")
    await copyFile(binary, join(work, "tree/usr/bin/node"))
    await rename(join(work, "tree"), target)
    const old = (await readdir(cacheDirectory)).filter(one => one.startsWith("platform-packages-") && one !== name)
    for (const one of old) await rm(join(cacheDirectory, one), { recursive: true, force: true })
    return target
  } catch (error) {
    throw new ImageError(
      "tools-failed",
      `The service's packages were not installed. ${(error as Error).message}`,
      logFile,
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function code(tree: string): Promise<void> {
  const app = join(tree, APP)
  await mkdir(app, { recursive: true })
  for (const name of CODE) await cp(join(root, name), join(app, name), { recursive: true })
  await writeFile(join(app, "Pulumi.yaml"), await readFile(join(root, "Pulumi.yaml")))
}

async function keeper(tree: string): Promise<void> {
  const { build } = await import("esbuild")
  const outdir = join(tree, "usr/lib/foozol")
  await build({ ...compiled, outdir, entryPoints: { keeper: join(here, "keeper/main.ts") } })
  await bundleAcme(outdir)
}

/** Where set-up would have it, so that the command line finds it as well. */
async function engine({ key, pulumi, hcloudPlugin }: PlatformEngine, tree: string): Promise<void> {
  const folder = join(tree, APP, "engine")
  const plugin = `home/plugins/resource-hcloud-v${hcloudPlugin.version}/pulumi-resource-hcloud`
  await mkdir(join(folder, "bin"), { recursive: true })
  await mkdir(dirname(join(folder, plugin)), { recursive: true })
  for (const [from, to] of [
    [pulumi.path, "bin/pulumi"],
    [hcloudPlugin.path, plugin],
  ] as const) {
    await copyFile(from, join(folder, to))
    await chmod(join(folder, to), 0o755)
  }
  const at = `/${APP}/engine`
  const record = {
    pulumi: { path: `${at}/bin/pulumi`, version: pulumi.version, source: "PATH" },
    hcloudPlugin: { path: `${at}/${plugin}`, version: hcloudPlugin.version, source: "PATH" },
    home: `${at}/home`,
  }
  await writeFile(join(folder, "engine.json"), `${JSON.stringify(record, null, 2)}\n`)
  await mkdir(join(tree, APP, "cache"), { recursive: true })
  await symlink("../engine", join(tree, APP, "cache", key))
  const lines = { FOOZOL_PULUMI: record.pulumi.path, FOOZOL_PULUMI_VERSION: pulumi.version, PULUMI_HOME: record.home }
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
  await mkdir(join(tree, "usr/lib/foozol"), { recursive: true })
  await writeFile(join(tree, "usr/lib/foozol/engine.env"), text.join(""))
}
