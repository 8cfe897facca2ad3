import { z } from "zod"
import { InfraError } from "../errors.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"

const domain = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    "must be a domain in lower case, such as `desk.example.com`",
  )
const providerName = z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a name of the provider, such as `fsn1`")

/**
 * What an operator needs once: the one input of the platform's program. It holds no secret, and none of the service's
 * settings: those are handed to the server when it stands (hand-over.ts), so that a change of them replaces nothing.
 */
export const PlatformSpec = z
  .strictObject({
    version: z.literal(1),
    /** Names the stack and every resource; never changes. */
    name: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/, "must be up to 30 lower-case letters, digits, `-`"),
    region: providerName,
    size: providerName,
    /** Id of the platform's image at the provider. Another one replaces the server, not what it has stored. */
    image: z.int().positive(),
    dns: z.strictObject({
      /** What people open: the zone itself, or a name in it. */
      host: domain,
      /** In which workspaces get their names too. */
      zone: domain,
      /** False: the zone is there already, and stays. */
      makeZone: z.boolean(),
      /** Seconds. */
      ttl: z.int().min(60).max(86_400).default(300),
    }),
    /** Certificate authorities that may issue for the zone, as CAA names them; none: no such record. */
    caa: z.array(domain).max(5).default([]),
    /** Mail address that authorities tell of refused requests. */
    contact: z.email().nullable().default(null),
    /** Disk for all that must survive the server. */
    volumeGb: z.int().min(10).max(10_240).default(10),
    deleteProtection: z.boolean().default(true),
    /** By this key (Ed25519, raw, in Base64 for URLs) the server knows its operator. */
    operatorKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be an Ed25519 public key in Base64 for URLs"),
    /**
     * Ports of the computer that the local cloud runs on which the server finds at its own loopback: by these it reaches
     * the local cloud's API and its sign-in, whose addresses are then the same inside and outside.
     */
    hostPorts: z.array(z.int().min(1).max(65_535)).max(8).default([]),
  })
  .refine(({ dns }) => dns.host === dns.zone || dns.host.endsWith(`.${dns.zone}`), {
    path: ["dns", "host"],
    error: "must be the zone or a name in it",
  })
export type PlatformSpec = z.output<typeof PlatformSpec>

/** What the server must know at birth and nobody may read in state, outputs or logs. */
export const PlatformSecrets = z.strictObject({
  /**
   * Proves to the operator that the server which answers is the one that was made. It opens nothing: who has it can only
   * pretend to be the server, towards its operator.
   */
  birth: z.string().regex(/^[A-Za-z0-9_-]{43,}$/, "must be 32 random bytes in Base64 for URLs"),
})
export type PlatformSecrets = z.output<typeof PlatformSecrets>

/** @throws InfraError `invalid-spec` whose message names every wrong field */
export function parsePlatformSpec(input: unknown): PlatformSpec {
  const parsed = PlatformSpec.safeParse(input)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => `${issue.path.join(".") || "spec"}: ${issue.message}`)
  throw new InfraError("invalid-spec", "fail", `The platform's settings are not valid: ${problems.join("; ")}.`)
}

/** The label by which a platform's resources are found. */
export const PLATFORM_LABEL = "foozol-platform"

export const platformLabels = (name: string): Record<string, string> => ({
  [LABELS.managedBy]: MANAGER,
  [PLATFORM_LABEL]: name,
})

/** No workspace can have this name. */
export const platformStack = (name: string) => `platform_${name}`

/** The host's name in its zone, as record sets have it. */
export const recordName = ({ host, zone }: PlatformSpec["dns"]) =>
  host === zone ? "@" : host.slice(0, -zone.length - 1)
