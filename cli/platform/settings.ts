import { BACKEND_ENV, backendEnvironment } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import type { HandOver } from "../../infra/platform/hand-over.ts"
import type { PlatformSpec } from "../../infra/platform/spec.ts"
import { ConfigError } from "../../service/config/error.ts"
import { readConfig } from "../../service/config.ts"
import { Settings } from "../../service/settings.ts"
import type { KeptPlatform } from "./kept.ts"

/** Settings that the server decides itself; those of the environment are meant for a service somewhere else. */
const OWN = new Set([
  ...["FOOZOL_URL", "FOOZOL_LISTEN", "FOOZOL_TRUST_PROXY", "FOOZOL_METRICS_LISTEN", "FOOZOL_REDIS_URL", "FOOZOL_ZONE"],
  ...["FOOZOL_USAGE_DIRECTORY", "FOOZOL_AUDIT_DIRECTORY", "FOOZOL_STATE_BACKUP_DIRECTORY"],
])
/** Settings of the engine and of the provider, beside those of the service. */
const FURTHER = ["HCLOUD_TOKEN", "HCLOUD_ENDPOINT", ...BACKEND_ENV]
/** Where the server keeps the file that FOOZOL_ACME_TRUST names here. */
const TRUST_ON_SERVER = "/var/lib/foozol/acme-trust.pem"

/**
 * What is handed to the server: the settings of an environment, with what the platform is.
 * @param own what comes in the place of what the platform would choose, for the local cloud
 * @throws InfraError `invalid-settings` naming each setting that is missing or wrong
 */
export function handOverOf(
  spec: Pick<PlatformSpec, "dns">,
  kept: Pick<KeptPlatform, "secret" | "passphrase">,
  env: NodeJS.ProcessEnv,
  own: Record<string, string> = {},
): HandOver & { directories: string[] } {
  const given = [...Object.keys(Settings.shape).filter(name => !OWN.has(name)), ...FURTHER]
  const settings: Record<string, string> = {
    ...Object.fromEntries(given.flatMap(name => (env[name] ? [[name, env[name]]] : []))),
    ...bucketOf(env),
    FOOZOL_URL: `https://${spec.dns.host}`,
    FOOZOL_ZONE: spec.dns.zone,
    FOOZOL_SECRET: kept.secret,
    FOOZOL_STATE_PASSPHRASE: kept.passphrase,
    ...own,
  }
  if (!settings.HCLOUD_TOKEN) throw missing("HCLOUD_TOKEN is missing: a read-and-write token of the Hetzner project")
  if (settings.FOOZOL_GCP_PROJECTS) {
    throw missing(
      "FOOZOL_GCP_PROJECTS cannot be handed over: a platform's server is given no credentials of Google's. Leave it out, or run the service on a server of your own (deploy/README.md)",
    )
  }
  const authorities = authoritiesOf(settings)
  // The server asks the first one; the others are for workspaces alone, and CAA records name all.
  const { directory, contact, binding, chain, trust } = authorities[0] ?? {}
  const certificate =
    directory === undefined
      ? null
      : { directory, contact: contact ?? null, binding: binding ?? null, chain: chain ?? null, trust: trust ?? null }
  if (settings.FOOZOL_ACME_TRUST) settings.FOOZOL_ACME_TRUST = TRUST_ON_SERVER
  return { service: settings, certificate, directories: authorities.map(one => one.directory) }
}

function authoritiesOf(settings: Record<string, string>) {
  try {
    return readConfig(settings).certificates.map(one => one.authority)
  } catch (error) {
    if (error instanceof ConfigError) throw missing(error.message)
    throw error
  }
}

/** State in a bucket is reached from the server as from here; a folder here is none there. */
function bucketOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const url = env.FOOZOL_BACKEND_URL ?? ""
  if (url === "" || url.startsWith("file:")) return {}
  return { FOOZOL_BACKEND_URL: url, ...backendEnvironment(env) }
}

const missing = (message: string) => new InfraError("invalid-settings", "fail", message)
