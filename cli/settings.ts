import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { backendEnvironment, type CloudConfig, type Clouds } from "../infra/cloud-config.ts"
import { InfraError } from "../infra/errors.ts"
import { type GcpCloud, gcpCloud, gcpEnvironment } from "../infra/gcp-settings.ts"
import { HETZNER_ENDPOINT } from "../infra/machines/hetzner-api.ts"
import { parseProjects } from "../infra/projects.ts"
import { readEngineRecord } from "../tools/setup/engine.ts"
import { cacheDirectory, dataDirectory } from "../tools/setup/paths.ts"
import { keptSecret } from "./kept-secret.ts"
import { readLocalCloud } from "./local-cloud-process.ts"

/**
 * What an engine run needs, from the environment: `HCLOUD_TOKEN` and `HCLOUD_ENDPOINT` as Hetzner's own tools read
 * them, `FOOZOL_GCP_PROJECTS` and what follows it, else the local cloud that runs on this machine; `FOOZOL_STATE_PASSPHRASE` and `FOOZOL_BACKEND_URL`, else
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
    ...providers(env),
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
  ...(config.hetzner ? { HCLOUD_TOKEN: config.hetzner.token, HCLOUD_ENDPOINT: config.hetzner.endpoint } : {}),
  ...furtherSetting(config),
  ...gcpEnvironment(config.gcp),
})

/** `FOOZOL_PROJECTS`, where there are further projects. */
function furtherSetting({ hetzner }: CloudConfig): Record<string, string> {
  const parts = Object.entries(hetzner?.further ?? {}).map(([name, token]) => `${name}=${token}`)
  return parts.length > 0 ? { FOOZOL_PROJECTS: parts.join(" ") } : {}
}

/** Folder for compiled code of the engine's children. */
export const compileCache = () => join(cacheDirectory(), "compile-cache")

function providers(env: NodeJS.ProcessEnv): Clouds {
  const [further, gcp] = [furtherProjects(env), google(env)]
  const found = gcp === null ? {} : { gcp }
  if (env.HCLOUD_TOKEN) {
    const endpoint = env.HCLOUD_ENDPOINT || HETZNER_ENDPOINT
    return { hetzner: { token: env.HCLOUD_TOKEN, endpoint, further }, ...found }
  }
  const local = readLocalCloud(env)
  if (local) return { hetzner: { token: local.token, endpoint: local.apiUrl, further }, ...found }
  if (gcp) return found
  throw new InfraError(
    "no-token",
    "fail",
    "There is no cloud to work on: set HCLOUD_TOKEN to a read-and-write token of a Hetzner project, or FOOZOL_GCP_PROJECTS to a project of Google Cloud, or start the local cloud with `npx foozol-cloud local up`.",
  )
}

function google(env: NodeJS.ProcessEnv): GcpCloud | null {
  try {
    return gcpCloud(env)
  } catch {
    throw new InfraError(
      "invalid-projects",
      "fail",
      "FOOZOL_GCP_PROJECTS, FOOZOL_GCP_ZONES or FOOZOL_GCP_ENDPOINT is not usable: `foozol-cloud service settings` says what they must be.",
    )
  }
}

function furtherProjects(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    return parseProjects(env.FOOZOL_PROJECTS ?? "")
  } catch (error) {
    throw new InfraError("invalid-projects", "fail", `FOOZOL_PROJECTS ${(error as Error).message}.`)
  }
}
