import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createNames } from "../../local-cloud/names.ts"
import { startDns } from "../../local-cloud/network/dns.ts"
import type { GoldenWorld } from "./golden-world.ts"
import { type Pebble, startPebble } from "./pebble.ts"

/** A certificate authority that finds the machines of a world by the local cloud's DNS; and the service's settings for it. */
export async function startPebbleFor(
  world: GoldenWorld,
): Promise<{ pebble: Pebble; settings: Record<string, string>; close(): Promise<void> }> {
  const names = createNames(world.cloud.cloud.context.store)
  // Its IPv6 addresses are those of documentation, which lead nowhere; Pebble, other than others, tries no second one.
  const lookup: typeof names.lookup = (zone, name, type) => (type === "AAAA" ? [] : names.lookup(zone, name, type))
  const dns = await startDns({ port: 0, ...names, lookup })
  const pebble = await startPebble({ tlsPort: hostPort(443), dns: dns.port })
  return {
    pebble,
    settings: { FOOZOL_ACME_DIRECTORY: pebble.authority().directory, FOOZOL_ACME_TRUST: pebble.trustFile },
    async close() {
      await pebble.close()
      await dns.close()
    },
  }
}
