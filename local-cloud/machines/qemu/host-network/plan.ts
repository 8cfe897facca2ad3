import type { FirewallRule } from "../../contract.ts"

/** The host's side of every machine's cable: where they send all, and where DHCP and metadata answer. */
export const GATEWAY = "169.254.0.1"
/** The same for IPv6, as at Hetzner. */
export const GATEWAY_V6 = "fe80::1"
export const METADATA = "169.254.169.254"

/** What the host's network knows of a machine that is on. */
export interface Guest {
  id: number
  mac: string
  ipv4: string | null
  /** Its /64, such as `2001:db8:5:1::/64`; null where it has none that leads anywhere. */
  ipv6: string | null
  /** Of all its firewalls; null: it has none, and everything is allowed. */
  rules: FirewallRule[] | null
  /** Port of the gateway's address at which its own metadata answer. */
  metadataPort: number
}

/** The name of a machine's interface on the host; such names have 15 letters at most. */
export function interfaceOf(prefix: string, id: number): string {
  const name = `${prefix}${id.toString(36)}`
  if (name.length > 15) throw new Error(`Machine ${id} has too long a number for the name of an interface.`)
  return name
}

/** The machine's own address in its IPv6 network. */
export const hostOf = (network: string): string => network.replace(/::\/64$/, "::1")
