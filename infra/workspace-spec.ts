import { z } from "zod"
import { InfraError } from "./errors.ts"

/** A DNS label (RFC 1123): what names, host names and labels of every provider accept. */
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner hyphens, such as `blue-otter-42`",
  )

/** Hetzner label values: 63 characters of letters, digits, `-`, `_`, `.`, alphanumeric at both ends. */
const labelValue = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/, "must be 1 to 63 letters, digits, `-`, `_` or `.`")

/**
 * The one input of every program: what a workspace's cloud resources shall be. It holds no secret, is exported whole
 * as a stack output, and is enough to rebuild the workspace's program.
 */
export const WorkspaceSpec = z.strictObject({
  version: z.literal(1),
  /** Names the stack and every resource; never changes. */
  workspace: dnsLabel,
  /** Whose it is: the user's id at the service. */
  owner: labelValue,
  /** Fencing number of the operation that wrote this spec. */
  epoch: z.int().nonnegative(),
  profile: z.enum(["desktop", "browser", "repo"]),
  provider: z.enum(["hetzner"]),
  /** Location at the provider, such as `fsn1`. */
  region: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a location of the provider, such as `fsn1`"),
  /** Machine type at the provider, such as `cx43`. */
  size: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a machine type of the provider, such as `cx43`"),
  /** Id of the golden image (or of the snapshot to start from) at the provider. */
  image: z.int().positive(),
  /** Where the machine is reached: host name and the DNS zone it is a record of. */
  dns: z.strictObject({
    name: dnsLabel,
    zone: z
      .string()
      .regex(
        /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
        "must be a domain, such as `desk.example.com`",
      ),
    /** Seconds; low, because addresses change when a workspace moves. */
    ttl: z.int().min(60).max(86_400).default(60),
  }),
  /** URL at which the machine reaches the service; null on a machine that stands alone. */
  service: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .nullable()
    .default(null),
  /** URL of the service's pages as the user's browser reaches them; null where it is `service`. */
  site: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .nullable()
    .default(null),
  /** The machine is put away: everything but it is there, and a snapshot that it can be made from again. */
  asleep: z.boolean().default(false),
  /** Refuse deletion at the provider until it is lifted by a destroy of ours. */
  deleteProtection: z.boolean().default(true),
})
export type WorkspaceSpec = z.output<typeof WorkspaceSpec>

/** What the machine needs to know that must not be readable in state, outputs or logs. */
export const WorkspaceSecrets = z.strictObject({
  /** The machine's own credential towards the service. */
  workspaceKey: z.string().min(32, "must have at least 32 characters"),
})
export type WorkspaceSecrets = z.output<typeof WorkspaceSecrets>

/**
 * Parses a spec from outside.
 * @throws InfraError `invalid-spec` whose message names every wrong field
 */
export function parseWorkspaceSpec(input: unknown): WorkspaceSpec {
  const parsed = WorkspaceSpec.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => `${issue.path.join(".") || "spec"}: ${issue.message}`)
  throw new InfraError("invalid-spec", "fail", `The workspace spec is not valid: ${problems.join("; ")}.`)
}

/** Label keys on every resource of a workspace; `list`, sweeps and recovery find resources by them. */
export const LABELS = {
  managedBy: "managed-by",
  workspace: "foozol-workspace",
  owner: "foozol-owner",
  epoch: "foozol-epoch",
} as const

/** The value of `managed-by`. */
export const MANAGER = "foozol-cloud"

/** Names and labels of a workspace's resources: pure functions of the spec, so that a lost answer can be looked up. */
export function resourceNames(spec: Pick<WorkspaceSpec, "workspace">) {
  const base = `foozol-${spec.workspace}`
  return { server: base, firewall: base, ipv4: `${base}-ipv4`, ipv6: `${base}-ipv6` }
}

/** Labels of everything that lives as long as the workspace. */
export function workspaceLabels(spec: Pick<WorkspaceSpec, "workspace" | "owner">): Record<string, string> {
  return { [LABELS.managedBy]: MANAGER, [LABELS.workspace]: spec.workspace, [LABELS.owner]: spec.owner }
}

/**
 * Labels of the machine: the workspace's, and the epoch that made it. The epoch stands on the machine alone, since
 * a change of it on every resource would cost a write each at every operation.
 */
export function machineLabels(spec: Pick<WorkspaceSpec, "workspace" | "owner" | "epoch">): Record<string, string> {
  return { ...workspaceLabels(spec), [LABELS.epoch]: String(spec.epoch) }
}
