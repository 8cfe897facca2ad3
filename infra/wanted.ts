import { type AcceptedChange, type FirewallRule, type ResourceName, ruleKey } from "./accepted.ts"
import { machineLabels, resourceNames, type WorkspaceSpec, workspaceLabels } from "./workspace-spec.ts"

/**
 * What each resource of a workspace shall be, as far as a spec alone says it: what programs declare, and what a look at
 * the provider compares with. In one place, so that the two cannot differ.
 */
export interface Wanted {
  firewall: { name: string; labels: Labels; rules: FirewallRule[] }
  ipv4: WantedAddress
  ipv6: WantedAddress
  /** Null: it is put away. */
  machine: WantedMachine | null
  /** Null: there is none. */
  "record-A": WantedRecord | null
  "record-AAAA": WantedRecord | null
}

type Labels = Record<string, string>

export interface WantedAddress {
  name: string
  labels: Labels
  autoDelete: boolean
}

export interface WantedMachine {
  name: string
  labels: Labels
  size: string
  protection: boolean
  backups: boolean
  /** Ids of firewalls beside the workspace's own. */
  otherFirewalls: number[]
}

export interface WantedRecord {
  labels: Labels
  ttl: number | null
  /** Null: the workspace's own address. */
  values: string[] | null
}

const ANYWHERE = ["0.0.0.0/0", "::/0"]

/** HTTPS and nothing else. */
const RULES: FirewallRule[] = [
  {
    ...{ direction: "in", protocol: "tcp", port: "443", sourceIps: ANYWHERE, destinationIps: [] },
    description: "HTTPS",
  },
]

export function wantedOf(spec: WorkspaceSpec): Wanted {
  const changes = spec.accepted.map(one => one.change)
  const of = <W extends AcceptedChange["what"]>(what: W) =>
    changes.filter((one): one is Extract<AcceptedChange, { what: W }> => one.what === what)
  const names = resourceNames(spec)
  const labels = (resource: ResourceName, base = workspaceLabels(spec)) =>
    of("label")
      .filter(one => one.resource === resource)
      .reduce((all, { key, value }) => withLabel(all, key, value), base)
  // The address is the workspace's, not the server's: hibernate and resize replace the server and keep it.
  const address = (name: "ipv4" | "ipv6") => ({ name: names[name], labels: labels(name), autoDelete: false })
  const record = (name: "record-A" | "record-AAAA"): WantedRecord | null => {
    const changed = of("records").find(one => one.resource === name)
    if (changed?.values === null) return null
    const ttl = of("ttl").find(one => one.resource === name)
    return { labels: labels(name), ttl: ttl ? ttl.ttl : spec.dns.ttl, values: changed?.values ?? null }
  }
  return {
    firewall: { name: names.firewall, labels: labels("firewall"), rules: rulesWith(of("rule")) },
    ipv4: address("ipv4"),
    ipv6: address("ipv6"),
    machine: spec.asleep
      ? null
      : {
          ...{ name: names.server, labels: labels("machine", machineLabels(spec)), size: spec.size },
          protection: of("protection").at(-1)?.on ?? spec.deleteProtection,
          backups: of("backups").at(-1)?.on ?? false,
          otherFirewalls: of("firewall").map(one => one.id),
        },
    "record-A": record("record-A"),
    "record-AAAA": record("record-AAAA"),
  }
}

function withLabel(labels: Labels, key: string, value: string | null): Labels {
  const { [key]: _, ...others } = labels
  return value === null ? others : { ...others, [key]: value }
}

function rulesWith(changes: { rule: FirewallRule; there: boolean }[]): FirewallRule[] {
  const changed = new Set(changes.map(({ rule }) => ruleKey(rule)))
  const there = changes.filter(one => one.there).map(({ rule }) => rule)
  return [...RULES.filter(rule => !changed.has(ruleKey(rule))), ...there]
}
