import { z } from "zod"
import { createEngine } from "./engine.ts"
import { createHetznerMachines } from "./machines/hetzner.ts"
import { createHetznerApi, HETZNER_ENDPOINT } from "./machines/hetzner-api.ts"
import { Secret } from "./secret.ts"
import type { Cloud } from "./workspace-stack.ts"

/** Everything an engine run needs to know, as it travels to the child process over its standard input. */
export const CloudConfig = z.strictObject({
  pulumi: z.string(),
  pulumiVersion: z.string(),
  home: z.string(),
  workDirectory: z.string(),
  backendUrl: z.string(),
  passphrase: z.string(),
  hetzner: z.strictObject({ token: z.string(), endpoint: z.string().default(HETZNER_ENDPOINT) }),
})
export type CloudConfig = z.output<typeof CloudConfig>

/** Engine and machines of one provider project. */
export function openCloud(config: CloudConfig): Cloud {
  const { hetzner, passphrase, ...engine } = config
  const token = new Secret(hetzner.token)
  return {
    engine: createEngine({
      ...engine,
      passphrase: new Secret(passphrase),
      providerEnv: { HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: hetzner.endpoint },
    }),
    machines: createHetznerMachines(createHetznerApi({ endpoint: hetzner.endpoint, token })),
  }
}
