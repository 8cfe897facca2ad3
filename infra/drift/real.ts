import { z } from "zod"
import type { FirewallRule } from "../accepted.ts"

/**
 * What the provider's plugin tells of each resource. It leaves properties out, or gives null, where a provider has
 * nothing to say.
 */

const list = <T extends z.ZodType>(one: T) =>
  z
    .array(one)
    .nullish()
    .transform(all => all ?? [])
const text = z
  .string()
  .nullish()
  .transform(given => given ?? "")
const flag = z
  .boolean()
  .nullish()
  .transform(given => given ?? false)
const Labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform(given => given ?? {})

const Rule = z
  .object({
    ...{ direction: z.enum(["in", "out"]), protocol: z.string(), port: z.string().nullish(), description: text },
    ...{ sourceIps: list(z.string()), destinationIps: list(z.string()) },
  })
  .transform((rule): FirewallRule => ({ ...rule, port: rule.port || null }))

export const RealFirewall = z.object({
  ...{ name: z.string(), labels: Labels, rules: list(Rule) },
  applyTos: list(z.object({ server: z.number().nullish() })),
})
export type RealFirewall = z.output<typeof RealFirewall>

export const RealAddress = z.object({
  ...{ name: z.string(), labels: Labels, ipAddress: z.string(), autoDelete: flag, deleteProtection: flag },
  assigneeId: z
    .number()
    .nullish()
    .transform(given => given || null),
})
export type RealAddress = z.output<typeof RealAddress>

export const RealMachine = z.object({
  ...{ name: z.string(), labels: Labels, status: z.string(), serverType: z.string(), backups: flag },
  ...{ deleteProtection: flag, rebuildProtection: flag, iso: text, rescue: text, firewallIds: list(z.number()) },
  networks: list(z.object({ networkId: z.number().nullish() })),
})
export type RealMachine = z.output<typeof RealMachine>

export const RealRecord = z.object({
  ...{ labels: Labels, changeProtection: flag, records: list(z.object({ value: z.string() })) },
  ttl: z
    .number()
    .nullish()
    .transform(given => given ?? null),
})
export type RealRecord = z.output<typeof RealRecord>
