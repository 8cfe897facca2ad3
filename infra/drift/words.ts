import type { FirewallRule } from "../accepted.ts"
import type { Difference } from "./difference.ts"

/** What a person calls a resource, within a sentence. */
export const THE: Record<Difference["resource"], string> = {
  firewall: "the firewall",
  ipv4: "the IPv4 address",
  ipv6: "the IPv6 address",
  machine: "the machine",
  "record-A": "the DNS record for IPv4",
  "record-AAAA": "the DNS record for IPv6",
  disk: "the machine's disk",
  schedule: "the schedule of daily snapshots",
}

export const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** A rule as `TCP 22 from 0.0.0.0/0, ::/0 (ssh)`. */
export function ruleText({ direction, protocol, port, sourceIps, destinationIps, description }: FirewallRule): string {
  const ends = direction === "in" ? ["from", sourceIps] : ["to", destinationIps]
  const peers = (ends[1] as string[]).join(", ") || "nowhere"
  const what = [protocol.toUpperCase(), port === "any" ? null : port].filter(Boolean).join(" ")
  return `${what} ${ends[0]} ${peers}${description ? ` (${description})` : ""}`
}
