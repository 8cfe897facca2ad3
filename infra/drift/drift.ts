import { RESOURCES, type ResourceName } from "../accepted.ts"
import type { SeenResource } from "../engine-events.ts"
import type { LabelledResource } from "../machines/contract.ts"
import { type Wanted, wantedOf } from "../wanted.ts"
import type { WorkspaceSpec } from "../workspace-spec.ts"
import { addressDifferences } from "./address.ts"
import { type Difference, leftTo, repairable } from "./difference.ts"
import { firewallDifferences } from "./firewall.ts"
import { machineDifferences, type Power } from "./machine.ts"
import { RealAddress, RealFirewall, RealMachine, RealRecord } from "./real.ts"
import { recordDifferences } from "./record.ts"
import { sentence, THE } from "./words.ts"

/**
 * What a workspace's resources are at the provider, compared with what its spec says. Pure: facts in, differences in
 * words out; look.ts finds the facts.
 */
export interface DriftFacts {
  /** With what is accepted. */
  spec: WorkspaceSpec
  /** What the provider has of the stack's resources. */
  seen: SeenResource[]
  /** Carries the workspace's label, and the stack does not know of it. */
  unknown: LabelledResource[]
  /** Shall its machine be on? Null: whoever asks does not know. */
  power: Power | null
}

/** In the order of the resources, what matters most of each first. */
export function driftOf({ spec, seen, unknown, power }: DriftFacts): Difference[] {
  const wanted = wantedOf(spec)
  const there = new Map(seen.flatMap(({ name, id, real }) => (real === null ? [] : [[name, { id, real }] as const])))
  const idOf = (name: ResourceName) => there.get(name)?.id ?? null
  // Of an IPv6 network the first host is the machine's, as the program has it.
  const own = (name: "ipv4" | "ipv6") => {
    const real = there.get(name)?.real
    if (real === undefined) return null
    const { ipAddress } = RealAddress.parse(real)
    return name === "ipv4" ? ipAddress : ipAddress.replace(/::$/, "::1")
  }
  const compare = (name: ResourceName, real: Record<string, unknown>): Difference[] => {
    switch (name) {
      case "firewall":
        return firewallDifferences(wanted.firewall, RealFirewall.parse(real), idOf("machine"))
      case "ipv4":
      case "ipv6":
        return addressDifferences(name, wanted[name], RealAddress.parse(real), idOf("machine"))
      case "machine":
        return wanted.machine
          ? machineDifferences(wanted.machine, RealMachine.parse(real), { power, firewallId: idOf("firewall") })
          : [surplus("machine", idOf("machine") ?? "", true)]
      case "record-A":
      case "record-AAAA": {
        const record = wanted[name]
        const address = own(name === "record-A" ? "ipv4" : "ipv6")
        return record ? recordDifferences(name, record, RealRecord.parse(real), address) : [backAgain(name)]
      }
    }
  }
  return RESOURCES.flatMap(name => {
    const real = there.get(name)?.real
    const besides = unknown.filter(one => one.name === name)
    if (real !== undefined) return [...compare(name, real), ...besides.map(({ id }) => surplus(name, id, true))]
    if (wanted[name] === null) return besides.map(({ id }) => surplus(name, id, name === "machine"))
    // One that carries the label is taken in in its place.
    const [first, ...rest] = besides
    if (first === undefined) return [missing(name)]
    return [surplus(name, first.id, false), ...rest.map(({ id }) => surplus(name, id, true))]
  })
}

/** @param isLeft whether nothing of ours may remove it: it could have somebody's data on it */
export function surplus(resource: Difference["resource"], id: string, isLeft: boolean): Difference {
  const found = repairable(
    { resource, id: `other.${id.replaceAll("/", ".")}`, kind: "added" },
    isLeft
      ? `There is another resource beside ${THE[resource]} that carries the workspace's label: ${id}.`
      : `${sentence(THE[resource])} is one that the stack does not know: ${id}.`,
  )
  if (!isLeft) return found
  const todo = "Look what it is; then delete it at the provider, or take the label foozol-workspace off it."
  return leftTo("operator", todo, found)
}

export const backAgain = (resource: "record-A" | "record-AAAA"): Difference =>
  repairable({ resource, id: "there", kind: "added" }, `${sentence(THE[resource])} is there again.`)

export function missing(resource: Exclude<keyof Wanted, never>): Difference {
  const id = { resource, id: "there", kind: "missing" as const }
  switch (resource) {
    case "machine":
      return leftTo(
        "restore",
        "Restore its newest backup: a new machine is made from it. What came after that backup is lost.",
        repairable(id, "The machine was deleted by hand, and its disk with it."),
      )
    case "firewall":
      return repairable(id, "The firewall was deleted by hand: everything on the machine can be reached from outside.")
    case "ipv4":
    case "ipv6":
      return repairable(
        id,
        `${sentence(THE[resource])} was deleted by hand. A repair gets another one, which the machine has when it is made again.`,
      )
    default:
      return repairable(id, `${sentence(THE[resource])} was deleted by hand.`, {
        what: "records",
        resource,
        values: null,
      })
  }
}
