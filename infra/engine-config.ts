import type { Secret } from "./secret.ts"

/** Where the engine is and what it works on. One value per provider project; all secrets reach it as environment. */
export interface EngineConfig {
  /** Path of the Pulumi CLI. */
  pulumi: string
  /** Version of that CLI, as it reported itself at set-up. */
  pulumiVersion: string
  /** `PULUMI_HOME`: holds the plugins. */
  home: string
  /** Folder of our own for the engine's scratch files, mode 0700. */
  workDirectory: string
  /** Where state lies: `file://…`, `s3://…` or `gs://…`. */
  backendUrl: string
  /** What reaching it takes, such as `AWS_ACCESS_KEY_ID`. */
  backendEnv: Record<string, Secret>
  /** Encrypts the secrets in state. */
  passphrase: Secret
  /** The one until now, while stacks are encrypted anew. */
  previousPassphrase?: Secret
  /** Credentials for the provider plugins, such as `HCLOUD_TOKEN`, and `HCLOUD_ENDPOINT`. */
  providerEnv: Record<string, Secret | string>
}

/** Project of every stack; equal to the name in Pulumi.yaml, so that plain `pulumi` sees the same stacks. */
export const PROJECT = "foozol-cloud"

/** The environment of every engine run. */
export function engineEnvironment(config: EngineConfig): Record<string, string> {
  return {
    ...revealed(config.providerEnv),
    ...revealed(config.backendEnv),
    PULUMI_HOME: config.home,
    PULUMI_BACKEND_URL: engineBackendUrl(config.backendUrl),
    PULUMI_CONFIG_PASSPHRASE: config.passphrase.reveal(),
    // The salt of a stack's encryption is in its state as well as in its settings file; without the file nothing
    // but the backend has to be shared between workers.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Plugins come from set-up, pinned and checked; an engine run never downloads anything.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DIY_BACKEND_NO_LEGACY_WARNING: "true",
    // Its own logs of runs, where they cannot be left out (engine-folders.ts): the last hundred or so.
    PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "4",
  }
}

/** Settings with the secrets among them in clear text. */
export function revealed(settings: Record<string, Secret | string>): Record<string, string> {
  const clear = (value: Secret | string) => (typeof value === "string" ? value : value.reveal())
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, clear(value)]))
}

/**
 * The backend as the engine is told of it. Beside each file of a folder it would write a second one with metadata that
 * nobody reads, and not in one piece: an engine that is killed meanwhile leaves it empty, and the stack unreadable.
 */
export function engineBackendUrl(backendUrl: string): string {
  if (!backendUrl.startsWith("file://")) return backendUrl
  const url = new URL(backendUrl)
  url.searchParams.set("metadata", "skip")
  return url.href
}
