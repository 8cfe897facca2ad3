import type { GcpFacts } from "../../machines/gcp-facts.ts"
import { type WantedAddress, type WantedRecord, wantedOf } from "../../wanted.ts"
import type { WorkspaceSpec } from "../../workspace-spec.ts"
import { type Difference, idPart, leftTo, repairable } from "../difference.ts"
import { backAgain, missing, surplus } from "../drift.ts"
import type { Power } from "../machine.ts"
import { recordDifferences } from "../record.ts"
import { sentence, THE } from "../words.ts"
import { gcpLabels } from "./gcp-labels.ts"
import { gcpMachineDifferences } from "./gcp-machine.ts"
import { ruleDifferences } from "./gcp-rules.ts"

/**
 * What a workspace's resources are at Google, compared with what its spec says. Pure: facts in, differences in words out. A
 * repair is a run of the engine, which there mends what the program declares; the rest is left to a person, and said.
 */
export function gcpDriftOf(spec: WorkspaceSpec, facts: GcpFacts, power: Power | null): Difference[] {
  const wanted = wantedOf(spec)
  return [
    ...ruleDifferences(spec, facts),
    ...address("ipv4", wanted.ipv4, facts),
    ...address("ipv6", wanted.ipv6, facts),
    ...gcpMachineDifferences(spec, wanted.machine, facts, power),
    ...schedule(facts),
    ...record("record-A", wanted["record-A"], facts),
    ...record("record-AAAA", wanted["record-AAAA"], facts),
    ...besides(spec, facts),
  ]
}

type Family = "ipv4" | "ipv6"

function address(family: Family, wanted: WantedAddress, facts: GcpFacts): Difference[] {
  const real = facts[family]
  if (real === null) return [missing(family)]
  const { machine } = facts
  const [nic] = machine?.networkInterfaces ?? []
  const held = family === "ipv4" ? nic?.accessConfigs?.[0]?.natIP : nic?.ipv6AccessConfigs?.[0]?.externalIpv6
  const its = [`${THE[family]} (${real.address})`, held ? `it has ${held} instead` : "it has none instead"] as const
  const todo =
    "Stop the workspace by hibernation and start it: its machine is made again with its addresses. Or give the machine the address at Google."
  const isTaken = machine !== null && held !== real.address
  return [
    ...(isTaken
      ? [
          leftTo(
            "operator",
            todo,
            repairable(
              { resource: family, id: "machine" },
              `${sentence(its[0])} was taken off the machine by hand: ${its[1]}.`,
            ),
          ),
        ]
      : []),
    ...gcpLabels(family, wanted.labels, real.labels),
  ]
}

function schedule({ schedule }: GcpFacts): Difference[] {
  if (schedule !== null) return []
  return [
    repairable(
      { resource: "schedule", id: "there", kind: "missing" },
      "The schedule of Google's daily snapshots was deleted by hand: no more of them are made.",
    ),
  ]
}

function record(name: "record-A" | "record-AAAA", wanted: WantedRecord | null, facts: GcpFacts): Difference[] {
  const real = facts[name]
  if (wanted === null) return real === null ? [] : [backAgain(name)]
  if (real === null) return [missing(name)]
  const own = facts[name === "record-A" ? "ipv4" : "ipv6"]?.address ?? null
  // Records bear no labels at Google, and are protected against nothing.
  return recordDifferences(
    name,
    { ...wanted, labels: {} },
    { labels: {}, changeProtection: false, ttl: real.ttl, records: real.rrdatas.map(value => ({ value })) },
    own,
  )
}

/** What carries the workspace's label and is none of the resources that the program makes. */
function besides({ workspace, region }: WorkspaceSpec, { labelled }: GcpFacts): Difference[] {
  const base = `foozol-${workspace}`
  const ours = (kind: string) => new RegExp(`/${kind}/${base}(-ipv[46])?$`)
  const known = [
    new RegExp(`/zones/${region}/instances/${base}$`),
    ...[ours("addresses"), ours("firewalls"), ours("resourcePolicies")],
  ]
  return labelled
    .filter(({ name, id }) => !name.startsWith("record-") && !known.some(one => one.test(id)))
    .map(({ name, id }) => {
      if (name in THE) return surplus(name as keyof typeof THE, id, true)
      const found = repairable(
        { resource: "firewall", id: `other.${idPart(id)}`, kind: "added" },
        `There is another resource that is described as the workspace's: ${id}.`,
      )
      return leftTo("operator", "Look what it is; then delete it at Google.", found)
    })
}
