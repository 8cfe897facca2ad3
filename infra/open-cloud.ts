import { type CloudConfig, type HetznerCloud, openProjects } from "./cloud-config.ts"
import { createEngine } from "./engine.ts"
import { gcpPluginEnvironment } from "./gcp-settings.ts"
import { tokenVariable } from "./projects.ts"
import { Secret, sealed } from "./secret.ts"
import type { Cloud } from "./workspace-stack.ts"

/** Engine and machines of the providers' projects. Loads Pulumi's SDK: for engine children only. */
export function openCloud(config: CloudConfig): Cloud {
  const { hetzner, gcp, passphrase, previousPassphrase, backendEnv, ...engine } = config
  const projects = openProjects(config)
  return {
    engine: createEngine({
      ...engine,
      passphrase: new Secret(passphrase),
      ...(previousPassphrase ? { previousPassphrase: new Secret(previousPassphrase) } : {}),
      backendEnv: sealed(backendEnv),
      providerEnv: {
        ...(hetzner ? hetznerEnvironment(hetzner) : {}),
        ...(gcp ? sealed(gcpPluginEnvironment(gcp)) : {}),
      },
    }),
    machines: projects.all,
    machinesIn: projects.in,
  }
}

/** What Hetzner's plugin reads, for each of its projects. */
function hetznerEnvironment({ token, endpoint, further = {} }: HetznerCloud): Record<string, Secret | string> {
  const tokens = Object.entries(further).map(([name, one]) => [tokenVariable(name), one] as const)
  return { HCLOUD_TOKEN: new Secret(token), HCLOUD_ENDPOINT: endpoint, ...sealed(Object.fromEntries(tokens)) }
}
