import { type CloudConfig, openMachines } from "./cloud-config.ts"
import { createEngine } from "./engine.ts"
import { Secret } from "./secret.ts"
import type { Cloud } from "./workspace-stack.ts"

/** Engine and machines of one provider project. Loads Pulumi's SDK: for engine children only. */
export function openCloud(config: CloudConfig): Cloud {
  const { hetzner, passphrase, ...engine } = config
  return {
    engine: createEngine({
      ...engine,
      passphrase: new Secret(passphrase),
      providerEnv: { HCLOUD_TOKEN: new Secret(hetzner.token), HCLOUD_ENDPOINT: hetzner.endpoint },
    }),
    machines: openMachines(config),
  }
}
