import { z } from "zod"
import { ProjectName } from "./projects.ts"

/** A zone of Google's, such as `us-central1-a`. */
export const GcpZone = z
  .string()
  .regex(/^[a-z]+-[a-z]+[0-9]+-[a-z]$/, "must be zones of Google Cloud, such as `us-central1-a`")

/** Google's id of a project; here it is the project's name as well. */
export const GcpProjectId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "must be ids of Google Cloud projects, such as `my-desks`")
  .pipe(ProjectName)

/** How machines are bought there. */
export const MARKETS = ["on-demand", "spot"] as const
export type Market = (typeof MARKETS)[number]

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/

/** A stand-in for Google on this machine: whoever could name another address would be sent Google's credentials. */
export const GcpEndpoint = z
  .url({ protocol: /^https?$/, error: "must be an http URL" })
  .refine(text => URL.canParse(text) && LOOPBACK.test(new URL(text).hostname), "must be an address of this machine")

/** Google Cloud as engine runs and machines need it. It holds a file's path, or a token that is good for an hour; no key. */
export const GcpCloud = z.strictObject({
  /** The first one is the main one: it has the DNS zone, and what images are is decided there. */
  projects: z.array(GcpProjectId).min(1),
  /** Zones in which machines are offered. */
  zones: z.array(GcpZone).min(1),
  /** File with the key of a service account, or with what Google's workload identity takes; left out: Google's own search. */
  credentialsFile: z.string().optional(),
  /** As `gcloud auth print-access-token` prints it. */
  accessToken: z.string().optional(),
  endpoint: GcpEndpoint.optional(),
  /** What prices are of; a workspace says for itself how its machine is bought. */
  market: z.enum(MARKETS).optional(),
})
export type GcpCloud = z.output<typeof GcpCloud>

/** Zones that are offered where nothing is said. */
export const GCP_ZONES = ["us-central1-a"]

const words = (text: string | undefined) => (text ?? "").split(/[\s,]+/).filter(word => word !== "")

/**
 * Google Cloud out of the environment; null where FOOZOL_GCP_PROJECTS names no project.
 * @throws ZodError that names settings by the fields of `GcpCloud`
 */
export function gcpCloud(env: NodeJS.ProcessEnv): GcpCloud | null {
  const projects = words(env.FOOZOL_GCP_PROJECTS)
  if (projects.length === 0) return null
  const zones = words(env.FOOZOL_GCP_ZONES)
  const credentialsFile = env.FOOZOL_GCP_CREDENTIALS || env.GOOGLE_APPLICATION_CREDENTIALS
  return GcpCloud.parse({
    projects,
    zones: zones.length > 0 ? zones : GCP_ZONES,
    ...(credentialsFile ? { credentialsFile } : {}),
    ...(env.GOOGLE_OAUTH_ACCESS_TOKEN ? { accessToken: env.GOOGLE_OAUTH_ACCESS_TOKEN } : {}),
    ...(env.FOOZOL_GCP_ENDPOINT ? { endpoint: env.FOOZOL_GCP_ENDPOINT } : {}),
    ...(env.FOOZOL_GCP_MARKET ? { market: env.FOOZOL_GCP_MARKET } : {}),
  })
}

/** The same as the environment in which the service finds it. */
export const gcpEnvironment = (gcp: GcpCloud | undefined): Record<string, string> =>
  gcp === undefined
    ? {}
    : {
        FOOZOL_GCP_PROJECTS: gcp.projects.join(" "),
        FOOZOL_GCP_ZONES: gcp.zones.join(" "),
        ...(gcp.credentialsFile ? { FOOZOL_GCP_CREDENTIALS: gcp.credentialsFile } : {}),
        ...(gcp.accessToken ? { GOOGLE_OAUTH_ACCESS_TOKEN: gcp.accessToken } : {}),
        ...(gcp.endpoint ? { FOOZOL_GCP_ENDPOINT: gcp.endpoint } : {}),
        ...(gcp.market ? { FOOZOL_GCP_MARKET: gcp.market } : {}),
      }

/**
 * What Google's plugin of the engine reads. The provider's inputs in a state hold none of it: credentials are taken anew
 * from the environment at each run, so that they may be replaced.
 */
export const gcpPluginEnvironment = ({ projects, credentialsFile, accessToken, endpoint }: GcpCloud) => ({
  GOOGLE_PROJECT: projects[0] as string,
  ...(credentialsFile ? { GOOGLE_CREDENTIALS: credentialsFile } : {}),
  ...(accessToken ? { GOOGLE_OAUTH_ACCESS_TOKEN: accessToken } : {}),
  ...(endpoint
    ? {
        GOOGLE_COMPUTE_CUSTOM_ENDPOINT: `${endpoint}/compute/v1/`,
        GOOGLE_DNS_CUSTOM_ENDPOINT: `${endpoint}/dns/v1/`,
      }
    : {}),
})
