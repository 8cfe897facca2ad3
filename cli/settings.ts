import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { backendEnvironment, type CloudConfig } from "../infra/cloud-config.ts"
import { InfraError } from "../infra/errors.ts"
import { HETZNER_ENDPOINT } from "../infra/machines/hetzner-api.ts"
import { parseProjects } from "../infra/projects.ts"
import { readEngineRecord } from "../tools/setup/engine.ts"
import { cacheDirectory, dataDirectory } from "../tools/setup/paths.ts"
import { keptSecret } from "./kept-secret.ts"
import { readLocalCloud } from "./local-cloud-process.ts"

/**
 * What an engine run needs, from the environment: `HCLOUD_TOKEN` and `HCLOUD_ENDPOINT` as Hetzner's own tools read
 * them, else the local cloud that runs on this machine; `FOOZOL_STATE_PASSPHRASE` and `FOOZOL_BACKEND_URL`, else
 * files in the data folder.
 * @throws InfraError `engine-missing` or `no-token`, saying what to do
 */
export function cloudConfig(env: NodeJS.ProcessEnv = process.env): CloudConfig {
  const engine = readEngineRecord()
  if (!engine) {
    throw new InfraError(
      "engine-missing",
      "fail",
      "The Pulumi engine is not set up on this machine: run `npm run setup`.",
    )
  }
  const data = dataDirectory(env)
  return {
    pulumi: engine.pulumi.path,
    pulumiVersion: engine.pulumi.version,
    home: engine.home,
    workDirectory: join(data, "engine"),
    backendUrl: env.FOOZOL_BACKEND_URL || pathToFileURL(join(data, "state")).href,
    backendEnv: backendEnvironment(env),
    passphrase: env.FOOZOL_STATE_PASSPHRASE || keptSecret(data, "state-passphrase"),
    ...(env.FOOZOL_STATE_PASSPHRASE_PREVIOUS ? { previousPassphrase: env.FOOZOL_STATE_PASSPHRASE_PREVIOUS } : {}),
    hetzner: provider(env),
  }
}

/** The same as the environment in which the service finds it; see `cloudFrom` in service/start.ts. */
export const engineEnvironment = (config: CloudConfig): Record<string, string> => ({
  FOOZOL_PULUMI: config.pulumi,
  FOOZOL_PULUMI_VERSION: config.pulumiVersion,
  PULUMI_HOME: config.home,
  FOOZOL_ENGINE_DIRECTORY: config.workDirectory,
  FOOZOL_BACKEND_URL: config.backendUrl,
  ...config.backendEnv,
  FOOZOL_STATE_PASSPHRASE: config.passphrase,
  ...(config.previousPassphrase ? { FOOZOL_STATE_PASSPHRASE_PREVIOUS: config.previousPassphrase } : {}),
  HCLOUD_TOKEN: config.hetzner.token,
  HCLOUD_ENDPOINT: config.hetzner.endpoint,
  ...furtherSetting(config),
})

/** `FOOZOL_PROJECTS`, where there are further projects. */
function furtherSetting({ hetzner: { further = {} } }: CloudConfig): Record<string, string> {
  const parts = Object.entries(further).map(([name, token]) => `${name}=${token}`)
  return parts.length > 0 ? { FOOZOL_PROJECTS: parts.join(" ") } : {}
}

/** Folder for compiled code of the engine's children. */
export const compileCache = () => join(cacheDirectory(), "compile-cache")

function provider(env: NodeJS.ProcessEnv): CloudConfig["hetzner"] {
  const further = furtherProjects(env)
  if (env.HCLOUD_TOKEN) return { token: env.HCLOUD_TOKEN, endpoint: env.HCLOUD_ENDPOINT || HETZNER_ENDPOINT, further }
  const local = readLocalCloud(env)
  if (local) return { token: local.token, endpoint: local.apiUrl, further }
  throw new InfraError(
    "no-token",
    "fail",
    "There is no cloud to work on: set HCLOUD_TOKEN to a read-and-write token of a Hetzner project, or start the local cloud with `npx foozol-cloud local up`.",
  )
}

function furtherProjects(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    return parseProjects(env.FOOZOL_PROJECTS ?? "")
  } catch (error) {
    throw new InfraError("invalid-projects", "fail", `FOOZOL_PROJECTS ${(error as Error).message}.`)
  }
}
