import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { HCLOUD_PLUGIN_VERSION, PULUMI_VERSION } from "./pins.ts"

/** Root of the checkout. */
export const PROJECT_ROOT = dirname(dirname(import.meta.dirname))

/** Folder for what takes long to make and can be made again: `FOOZOL_CACHE`, else the user's cache folder. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env.FOOZOL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "foozol-cloud")
}

/** Folder for state that must not be lost: `FOOZOL_DATA`, else `.foozol` in the checkout. */
export function dataDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env.FOOZOL_DATA || join(PROJECT_ROOT, ".foozol")
}

/** Where the engine lies: one folder per pins and sources, so that a changed pin never meets an old binary. */
export function enginePaths(env: NodeJS.ProcessEnv = process.env) {
  const directory = join(cacheDirectory(env), `engine-${engineKey()}`)
  const home = join(directory, "home")
  return {
    directory,
    /** The CLI when set-up obtained it itself. */
    pulumi: join(directory, "bin", "pulumi"),
    /** `PULUMI_HOME`: plugins, and what the CLI writes about itself. */
    home,
    hcloudPlugin: join(home, "plugins", `resource-hcloud-v${HCLOUD_PLUGIN_VERSION}`, "pulumi-resource-hcloud"),
    /** What set-up chose and checked: the CLI's path and where each part came from. */
    record: join(directory, "engine.json"),
  }
}

function engineKey(): string {
  const hash = createHash("sha256").update(`${PULUMI_VERSION} ${HCLOUD_PLUGIN_VERSION}`)
  const sources = join(PROJECT_ROOT, "tools", "engine")
  for (const name of readdirSync(sources, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(go|mod|sum)$/.test(name) && existsSync(join(sources, name))) {
      hash.update(name).update(readFileSync(join(sources, name)))
    }
  }
  return hash.digest("hex").slice(0, 12)
}
