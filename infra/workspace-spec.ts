import { z } from "zod"
import { Accepted } from "./accepted.ts"
import { InfraError } from "./errors.ts"
import { ProjectName } from "./projects.ts"

/** A DNS label (RFC 1123): what names, host names and labels of every provider accept. */
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner hyphens, such as `blue-otter-42`",
  )

/**
 * Names in a zone behind which programs, or people, look for something that no user's machine must be: the service's own
 * (RFC 2142, RFC 8461), those that mail programs and browsers ask by themselves (autoconfig, WPAD, ISATAP), and mail's.
 */
export const RESERVED: ReadonlySet<string> = new Set(
  [
    "www web api app admin administrator operator root support help status login auth oauth sso account accounts secure",
    "mail smtp imap pop pop3 mx webmail autoconfig autodiscover mta-sts openpgpkey postmaster hostmaster webmaster abuse",
    "ns ns1 ns2 ns3 dns localhost local wpad isatap broadcasthost ftp ssh vpn proxy gateway router cdn static assets",
    "security billing pay payment payments ca acme pki ssl tls crl ocsp test staging dev internal platform service cloud",
  ]
    .join(" ")
    .split(" "),
)

/** Hetzner label values: 63 characters of letters, digits, `-`, `_`, `.`, alphanumeric at both ends. */
const labelValue = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/, "must be 1 to 63 letters, digits, `-`, `_` or `.`")

/** Every provider there is a program for. */
export const PROVIDERS = ["hetzner", "gcp", "scaleway"] as const
export type ProviderName = (typeof PROVIDERS)[number]

/** What images are called: numbers at Hetzner, names at Google, UUIDs at Scaleway. */
export const IMAGES = {
  hetzner: z.int("must be the number of an image or snapshot").positive(),
  gcp: z
    .string("must be the name of an image or snapshot")
    .regex(/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of an image or snapshot"),
  scaleway: z.uuid("must be the UUID of an image or snapshot"),
} as const

/** Fields of a spec that a provider has nothing for, and what it is called. */
const NOTHING_OF = {
  hetzner: { fields: ["market", "diskGb", "power"], title: "Hetzner" },
  gcp: { fields: [], title: "Google" },
  // Its projects are known by UUIDs, which names of projects are not.
  scaleway: { fields: ["market", "project"], title: "Scaleway" },
} as const

/**
 * The one input of every program: what a workspace's cloud resources shall be. It holds no secret, is exported whole
 * as a stack output, and is enough to rebuild the workspace's program.
 */
export const WorkspaceSpec = z
  .strictObject({
    version: z.literal(1),
    /** Names the stack and every resource; never changes. */
    workspace: dnsLabel,
    /** Whose it is: the user's id at the service. */
    owner: labelValue,
    /** Fencing number of the operation that wrote this spec. */
    epoch: z.int().nonnegative(),
    profile: z.enum(["desktop", "browser", "repo"]),
    provider: z.enum(PROVIDERS),
    /** The provider's project that its resources are in, for ever; left out: the main one. */
    project: ProjectName.optional(),
    /** Location at the provider, such as `fsn1`; at Google a zone, such as `us-central1-a`. */
    region: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a location of the provider, such as `fsn1`"),
    /** Machine type at the provider, such as `cx43`, `e2-highmem-2` or `PRO2-XS`. */
    size: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{1,31}$/, "must be a machine type of the provider, such as `cx43`"),
    /** Id of the golden image (or of the snapshot to start from) at the provider. */
    image: z.union([IMAGES.hetzner, IMAGES.gcp, IMAGES.scaleway]),
    /** How a machine is bought: `spot` is cheaper and may be switched off by the provider. Left out: on demand. */
    market: z.enum(["on-demand", "spot"]).optional(),
    /** Of the machine's disk, GB, where the size does not say it; left out: the provider's default. */
    diskGb: z.int().min(10).max(65_536).optional(),
    /** Where a program knows of power: on or off. Left out: that is said by the provider's API alone. */
    power: z.enum(["on", "off"]).optional(),
    /** Where the machine is reached: host name and the DNS zone it is a record of. */
    dns: z.strictObject({
      name: dnsLabel.refine(
        name => !RESERVED.has(name),
        "is a name that others look for something else behind; take another, such as `blue-otter-42`",
      ),
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
    /** What operators have changed on purpose: it is declared as they want it. Specs of before this have none. */
    accepted: z.array(Accepted).default([]),
  })
  .superRefine((spec, context) => {
    const { provider, image } = spec
    const wrong = IMAGES[provider].safeParse(image).error
    if (wrong) context.addIssue({ code: "custom", path: ["image"], message: wrong.issues[0]?.message ?? "" })
    const { fields, title } = NOTHING_OF[provider]
    for (const field of fields)
      if (spec[field] !== undefined)
        context.addIssue({ code: "custom", path: [field], message: `is nothing that ${title} has` })
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
  project: "foozol-project",
} as const

/** The value of `managed-by`. */
export const MANAGER = "foozol-cloud"

/** Names and labels of a workspace's resources: pure functions of the spec, so that a lost answer can be looked up. */
export function resourceNames(spec: Pick<WorkspaceSpec, "workspace">) {
  const base = `foozol-${spec.workspace}`
  return { server: base, firewall: base, ipv4: `${base}-ipv4`, ipv6: `${base}-ipv6` }
}

/** Labels of everything that lives as long as the workspace. */
export function workspaceLabels({
  workspace,
  owner,
  project,
}: Pick<WorkspaceSpec, "workspace" | "owner" | "project">): Record<string, string> {
  return {
    ...{ [LABELS.managedBy]: MANAGER, [LABELS.workspace]: workspace, [LABELS.owner]: owner },
    ...(project === undefined ? {} : { [LABELS.project]: project }),
  }
}

/**
 * Labels of the machine: the workspace's, and the epoch that made it. The epoch stands on the machine alone, since
 * a change of it on every resource would cost a write each at every operation.
 */
export function machineLabels(
  spec: Pick<WorkspaceSpec, "workspace" | "owner" | "epoch" | "project">,
): Record<string, string> {
  return { ...workspaceLabels(spec), [LABELS.epoch]: String(spec.epoch) }
}
