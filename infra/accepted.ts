import { z } from "zod"

/** A rule of a firewall, as provider and program name its parts. */
export const FirewallRule = z.object({
  direction: z.enum(["in", "out"]),
  protocol: z.string(),
  port: z.string().nullable().default(null),
  sourceIps: z.array(z.string()).default([]),
  destinationIps: z.array(z.string()).default([]),
  description: z.string().default(""),
})
export type FirewallRule = z.output<typeof FirewallRule>

/** Names that programs give the resources of a workspace. */
export const RESOURCES = ["firewall", "ipv4", "ipv6", "machine", "record-A", "record-AAAA"] as const
export type ResourceName = (typeof RESOURCES)[number]

const record = z.enum(["record-A", "record-AAAA"])

/** What a workspace's resources shall be instead of what its spec would say. */
export const AcceptedChange = z.discriminatedUnion("what", [
  /** A rule that is there beside ours, or one of ours that is not. */
  z.object({ what: z.literal("rule"), rule: FirewallRule, there: z.boolean() }),
  /** A label of another name than ours; null: none. */
  z.object({
    what: z.literal("label"),
    resource: z.enum(RESOURCES),
    key: z.string(),
    value: z.string().nullable(),
  }),
  z.object({ what: z.literal("ttl"), resource: record, ttl: z.int().nullable() }),
  /** Where the name points; null: there is no such record. */
  z.object({ what: z.literal("records"), resource: record, values: z.array(z.string()).nullable() }),
  z.object({ what: z.literal("protection"), on: z.boolean() }),
  /** The provider's own daily backups. */
  z.object({ what: z.literal("backups"), on: z.boolean() }),
  /** Another firewall on the machine, beside ours. */
  z.object({ what: z.literal("firewall"), id: z.int() }),
])
export type AcceptedChange = z.output<typeof AcceptedChange>

/** A difference from the spec that an operator has made, or found, and wants to stay. */
export const Accepted = z.object({
  /** Of the difference; of each there is one. */
  id: z.string(),
  change: AcceptedChange,
  /** The difference in words, as it was told when it was accepted. */
  words: z.string(),
  reason: z.string(),
  /** Login name of who accepted it. */
  by: z.string(),
  /** Milliseconds since 1970. */
  at: z.int(),
})
export type Accepted = z.output<typeof Accepted>

/** Two rules are one where they let the same through, however they are described. */
export function ruleKey({ direction, protocol, port, sourceIps, destinationIps }: FirewallRule): string {
  const from = (direction === "in" ? sourceIps : destinationIps).toSorted().join("+")
  return [direction, protocol, port ?? "any", from].join("/")
}
