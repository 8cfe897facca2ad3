import { BlockList, isIPv6 } from "node:net"
import type { OpenPort } from "./machines/contract.ts"
import type { FirewallRule } from "./state/records.ts"

/** Longest range that is opened port by port: every port is a listening socket of QEMU. */
const MAX_RANGE = 100

/**
 * The ports this host may reach on a server: those an inbound rule opens to sources that include this host, which
 * a machine's address on the loopback network sees as 127.0.0.1.
 * @param rules of every firewall of the server, or null when it has none
 */
export function openPorts(rules: FirewallRule[] | null, withoutFirewall: number[]): OpenPort[] {
  if (rules === null) return withoutFirewall.map(port => ({ protocol: "tcp", port }))
  const open = new Map<string, OpenPort>()
  for (const rule of rules) {
    if (rule.direction !== "in" || (rule.protocol !== "tcp" && rule.protocol !== "udp")) continue
    if (!rule.source_ips.some(includesThisHost)) continue
    for (const port of expand(rule.port, withoutFirewall))
      open.set(`${rule.protocol}/${port}`, { protocol: rule.protocol, port })
  }
  return [...open.values()]
}

function includesThisHost(cidr: string): boolean {
  const [address = "", prefix] = cidr.split("/")
  if (isIPv6(address)) return false
  const list = new BlockList()
  list.addSubnet(address, Number(prefix ?? 32), "ipv4")
  return list.check("127.0.0.1", "ipv4")
}

/** The ports of a rule; of a range that is too long, and of `any`, those that are usual. */
function expand(port: string | null, usual: number[]): number[] {
  if (port === null || port === "any") return usual
  const [first = 0, last = first] = port.split("-").map(Number)
  if (last - first >= MAX_RANGE) return usual.filter(one => one >= first && one <= last)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
