import type { FirewallRule } from "../../contract.ts"
import { GATEWAY, type Guest, interfaceOf, METADATA } from "./plan.ts"

export interface RulesetOptions {
  /** What the names of machines' interfaces begin with. */
  interfaces: string
  /** TCP ports of the host that machines may reach. */
  hostPorts: number[]
  /** All that machines may ever have: nobody else sends from there. */
  ipv4: string[]
  ipv6: string | null
}

/** The name of the table; nothing of other tables is touched. */
export const tableOf = (interfaces: string): string => `foozol_${interfaces}`

/**
 * All rules for machines with addresses of their own, as a file for `nft -f` that replaces what was there in one step.
 * Pure.
 *
 * - `raw`: a machine sends by its own hardware address and from its own addresses, and nobody else from theirs.
 * - `input`: of the host, machines reach DHCP, their own metadata and `hostPorts`.
 * - `forward`, `output`: what the firewalls of the API say, outwards by the sender's, inwards by the receiver's; so it is
 *   between machines of one host too. Nothing goes to link-local addresses, where another cloud's metadata may be.
 */
export function ruleset(guests: Guest[], options: RulesetOptions): string {
  const { interfaces, hostPorts } = options
  const table = tableOf(interfaces)
  const any = `"${interfaces}*"`
  const name = (guest: Guest) => interfaceOf(interfaces, guest.id)
  const map = (key: string, chain: string) =>
    guests.length === 0
      ? []
      : [`${key} vmap { ${guests.map(guest => `"${name(guest)}" : jump ${chain}_${guest.id}`).join(", ")} }`]
  const ports = hostPorts.length === 0 ? [] : [`iifname ${any} tcp dport { ${hostPorts.join(", ")} } accept`]
  const chains = [
    chain("raw", "type filter hook prerouting priority raw; policy accept;", [
      ...map("iifname", "from"),
      `iifname ${any} drop`,
      `ip saddr { ${options.ipv4.join(", ")} } drop`,
      ...(options.ipv6 === null ? [] : [`ip6 saddr ${options.ipv6} drop`]),
    ]),
    chain(
      "metadata",
      "type nat hook prerouting priority dstnat; policy accept;",
      guests.map(
        guest =>
          `iifname "${name(guest)}" ip daddr ${METADATA} tcp dport 80 dnat ip to ${GATEWAY}:${guest.metadataPort}`,
      ),
    ),
    chain("input", "type filter hook input priority filter; policy accept;", [
      `iifname != ${any} accept`,
      "ct state established,related accept",
      "udp sport 68 udp dport 67 accept",
      "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
      ...guests.map(
        guest => `iifname "${name(guest)}" ip daddr ${GATEWAY} tcp dport ${guest.metadataPort} ct status dnat accept`,
      ),
      `ip daddr { 127.0.0.0/8, 169.254.0.0/16 } drop`,
      ...ports,
      "drop",
    ]),
    chain("forward", "type filter hook forward priority filter; policy accept;", [
      `iifname != ${any} oifname != ${any} accept`,
      "ct state established,related accept",
      "ct state invalid drop",
      `iifname ${any} ip daddr { 127.0.0.0/8, 169.254.0.0/16 } drop`,
      `iifname ${any} ip6 daddr fe80::/10 drop`,
      ...map("iifname", "out"),
      ...map("oifname", "in"),
      `oifname ${any} drop`,
    ]),
    chain("output", "type filter hook output priority filter; policy accept;", [
      `oifname != ${any} accept`,
      "ct state established,related accept",
      "udp sport 67 udp dport 68 accept",
      "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
      ...map("oifname", "in"),
      "drop",
    ]),
    ...guests.flatMap(guest => [
      chain(`from_${guest.id}`, null, sendersOf(guest)),
      chain(`out_${guest.id}`, null, outwards(guest.rules)),
      chain(`in_${guest.id}`, null, inwards(guest.rules)),
    ]),
  ]
  return `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${chains.join("\n")}\n}\n`
}

function chain(name: string, hook: string | null, rules: string[]): string {
  return [
    `  chain ${name} {`,
    ...(hook === null ? [] : [`    ${hook}`]),
    ...rules.map(rule => `    ${rule}`),
    "  }",
  ].join("\n")
}

/** What a machine may send from. */
function sendersOf({ mac, ipv4, ipv6 }: Guest): string[] {
  return [
    `ether saddr != ${mac} drop`,
    "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
    ...(ipv4 === null ? [] : [`ip saddr ${ipv4} accept`]),
    ...(ipv6 === null
      ? []
      : [
          `ip6 saddr ${ipv6} accept`,
          "ip6 saddr { ::, fe80::/10 } icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
        ]),
    "drop",
  ]
}

/** As at Hetzner: without any outbound rule everything may leave. */
function outwards(rules: FirewallRule[] | null): string[] {
  const own = (rules ?? []).filter(rule => rule.direction === "out")
  if (own.length === 0) return ["return"]
  return [...own.flatMap(rule => matches(rule, "daddr", rule.peers).map(match => `${match} return`)), "drop"]
}

/** As at Hetzner: a machine without any firewall is open, one with a firewall is open where a rule says so. */
function inwards(rules: FirewallRule[] | null): string[] {
  if (rules === null) return ["accept"]
  const own = rules.filter(rule => rule.direction === "in")
  return [...own.flatMap(rule => matches(rule, "saddr", rule.peers).map(match => `${match} accept`)), "drop"]
}

function matches({ protocol, port }: FirewallRule, side: "saddr" | "daddr", peers: string[]): string[] {
  return peers.map(peer => {
    const family = peer.includes(":") ? "ip6" : "ip"
    const [address = "", prefix] = peer.split("/")
    const all = Number(prefix) === 0
    const from = all ? `meta nfproto ${family === "ip" ? "ipv4" : "ipv6"}` : `${family} ${side} ${address}/${prefix}`
    if (protocol === "icmp") return `${from} meta l4proto ${family === "ip" ? "icmp" : "icmpv6"}`
    if (protocol === "esp" || protocol === "gre") return `${from} meta l4proto ${protocol}`
    return port === null || port === "any" ? `${from} meta l4proto ${protocol}` : `${from} ${protocol} dport ${port}`
  })
}
