import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { runCommand } from "./engine-command.ts"
import { type EngineConfig, engineEnvironment } from "./engine-config.ts"
import { InfraError } from "./errors.ts"

/** Plugins that set-up does not bring: image builds in a cloud need them, and workspaces at Google. */
export type ExtraPlugin = "command" | "gcp"

/**
 * Fetches a plugin in the version of its SDK, once; an engine run itself never fetches anything.
 * @throws InfraError `plugin-missing` where Pulumi's download site cannot be reached
 */
export async function ensurePlugin(config: EngineConfig, name: ExtraPlugin, signal?: AbortSignal): Promise<void> {
  const version = pluginVersion(name)
  if (existsSync(join(config.home, "plugins", `resource-${name}-v${version}`))) return
  await mkdir(config.workDirectory, { recursive: true, mode: 0o700 })
  const done = await runCommand(
    config.pulumi,
    ["plugin", "install", "resource", name, `v${version}`, "--non-interactive", "--color", "never"],
    { cwd: config.workDirectory, env: engineEnvironment(config), signal },
  )
  if (done.code === 0) return
  throw new InfraError(
    "plugin-missing",
    "fail",
    `The engine's plugin "${name}" ${version} is missing and could not be fetched from get.pulumi.com: work where that site can be reached, or put the plugin into ${config.home}/plugins.`,
    done.stderr.trim().slice(-4_000),
  )
}

/** The version of a plugin that its SDK asks the engine for. */
export function pluginVersion(name: ExtraPlugin): string {
  const { version } = createRequire(import.meta.url)(`@pulumi/${name}/package.json`) as { version: string }
  return version.replace(/^v/, "")
}
