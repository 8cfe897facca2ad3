import type { PlatformSecrets, PlatformSpec } from "./spec.ts"

/**
 * What the server is told at birth, as JSON. None of the service's secrets is in it: whoever works on the server could
 * read it from the metadata for ever. They come by hand-over.ts.
 */
export function platformUserData(
  { dns, operatorKey, hostPorts }: Pick<PlatformSpec, "dns" | "operatorKey" | "hostPorts">,
  { birth }: PlatformSecrets,
  volume: string,
): string {
  return JSON.stringify({ foozolPlatform: 1, host: dns.host, volume, operatorKey, birth, hostPorts })
}
