import { z } from "zod"
import type { Machines } from "./machines/contract.ts"
import { createHetznerMachines } from "./machines/hetzner.ts"
import { createHetznerApi, HETZNER_ENDPOINT, type Heard } from "./machines/hetzner-api.ts"
import { Secret } from "./secret.ts"

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

/**
 * The machines of a provider project, without the engine: light enough for any process.
 * @param heard hears of each request's end
 */
export function openMachines({ hetzner }: Pick<CloudConfig, "hetzner">, heard?: (heard: Heard) => void): Machines {
  const { endpoint, token } = hetzner
  const api = createHetznerApi({ endpoint, token: new Secret(token), ...(heard ? { heard } : {}) })
  return createHetznerMachines(api)
}
