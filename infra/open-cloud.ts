import { type CloudConfig, type HetznerCloud, openProjects } from "./cloud-config.ts"
import { createEngine } from "./engine.ts"
import type { EngineConfig } from "./engine-config.ts"
import { ensurePlugin } from "./engine-plugins.ts"
import type { EngineAction } from "./engine-protocol.ts"
import { gcpPluginEnvironment } from "./gcp-settings.ts"
import { tokenVariable } from "./projects.ts"
import { Secret, sealed } from "./secret.ts"
import type { Cloud } from "./workspace-stack.ts"

/** Engine and machines of the providers' projects. Loads Pulumi's SDK: for engine children only. */
export function openCloud(config: CloudConfig): Cloud {
  const projects = openProjects(config)
  return { engine: createEngine(engineConfigOf(config)), machines: projects.all, machinesIn: projects.in }
}

/**
 * Sees to what an action needs that set-up does not bring: Google's plugin is fetched before the first workspace there.
 * @throws InfraError `plugin-missing`
 */
export async function prepareFor(config: CloudConfig, run: EngineAction, signal: AbortSignal): Promise<void> {
  const fetched = () => ensurePlugin(engineConfigOf(config), "gcp", signal)
  if ("spec" in run && run.spec.provider === "gcp") return fetched()
  // Where nothing was ever made, nothing needs it: the engine says so where that is otherwise.
  const isGoogles = run.action === "destroy" && config.gcp?.projects.some(project => project === run.project)
  if (isGoogles) await fetched().catch(() => signal.throwIfAborted())
}

/** What the engine is told; credentials reach the plugins as its environment. */
export function engineConfigOf(config: CloudConfig): EngineConfig {
  const { hetzner, gcp, passphrase, previousPassphrase, backendEnv, ...engine } = config
  return {
    ...engine,
    passphrase: new Secret(passphrase),
    ...(previousPassphrase ? { previousPassphrase: new Secret(previousPassphrase) } : {}),
    backendEnv: sealed(backendEnv),
    providerEnv: {
      ...(hetzner ? hetznerEnvironment(hetzner) : {}),
      ...(gcp ? sealed(gcpPluginEnvironment(gcp)) : {}),
    },
  }
}

/** What Hetzner's plugin reads, for each of its projects. */
function hetznerEnvironment({ token, endpoint, further = {} }: HetznerCloud): Record<string, Secret | string> {
  const tokens = Object.entries(further).map(([name, one]) => [tokenVariable(name), one] as const)
  return { HCLOUD_TOKEN: new Secret(token), HCLOUD_ENDPOINT: endpoint, ...sealed(Object.fromEntries(tokens)) }
}
