import { type CloudConfig, openProjects } from "./cloud-config.ts"
import { createEngine } from "./engine.ts"
import { tokenVariable } from "./projects.ts"
import { Secret, sealed } from "./secret.ts"
import type { Cloud } from "./workspace-stack.ts"

/** Engine and machines of a provider's projects. Loads Pulumi's SDK: for engine children only. */
export function openCloud(config: CloudConfig): Cloud {
  const { hetzner, passphrase, previousPassphrase, backendEnv, ...engine } = config
  const further = Object.entries(hetzner.further ?? {}).map(([name, token]) => [tokenVariable(name), token] as const)
  const projects = openProjects(config)
  return {
    engine: createEngine({
      ...engine,
      passphrase: new Secret(passphrase),
      ...(previousPassphrase ? { previousPassphrase: new Secret(previousPassphrase) } : {}),
      backendEnv: sealed(backendEnv),
      providerEnv: {
        ...{ HCLOUD_TOKEN: new Secret(hetzner.token), HCLOUD_ENDPOINT: hetzner.endpoint },
        ...sealed(Object.fromEntries(further)),
      },
    }),
    machines: projects.all,
    machinesIn: projects.in,
  }
}
