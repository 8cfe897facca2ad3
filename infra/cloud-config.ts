import { z } from "zod"
import { InfraError } from "./errors.ts"
import { GcpCloud } from "./gcp-settings.ts"
import type { Machines } from "./machines/contract.ts"
import { createGcpMachines } from "./machines/gcp.ts"
import { createGcpApi } from "./machines/gcp-api.ts"
import type { Heard } from "./machines/heard.ts"
import { createHetznerMachines } from "./machines/hetzner.ts"
import { createHetznerApi, HETZNER_ENDPOINT } from "./machines/hetzner-api.ts"
import { severalProjects } from "./machines/several-projects.ts"
import { MAIN_PROJECT, ProjectName, unknownProject } from "./projects.ts"
import { Secret } from "./secret.ts"
import type { ProviderName } from "./workspace-spec.ts"

const HetznerCloud = z.strictObject({
  token: z.string(),
  endpoint: z.string().default(HETZNER_ENDPOINT),
  /** Tokens of further projects, by name. */
  further: z.record(ProjectName, z.string()).optional(),
})
export type HetznerCloud = z.output<typeof HetznerCloud>

/** Everything an engine run needs to know, as it travels to the child process over its standard input. */
export const CloudConfig = z.strictObject({
  pulumi: z.string(),
  pulumiVersion: z.string(),
  home: z.string(),
  workDirectory: z.string(),
  backendUrl: z.string(),
  /** What reaching the backend takes, see `backendEnvironment`. */
  backendEnv: z.record(z.string(), z.string()).default({}),
  passphrase: z.string(),
  /** The one until now, while stacks are encrypted anew. */
  previousPassphrase: z.string().optional(),
  /** At least one of the two is there. */
  hetzner: HetznerCloud.optional(),
  gcp: GcpCloud.optional(),
})
export type CloudConfig = z.output<typeof CloudConfig>

/** What the engine and Amazon's tools read to reach a bucket, and as whom; other providers' buckets take the same. */
export const BACKEND_ENV = [
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"],
  ...["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"],
  "GOOGLE_APPLICATION_CREDENTIALS",
]

/** The part of an environment that reaching the engine's backend takes. */
export function backendEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(BACKEND_ENV.flatMap(name => (env[name] ? [[name, env[name]]] : [])))
}

/** Providers that a configuration can name; there are programs for more. */
export type OpenedProvider = Extract<ProviderName, "hetzner" | "gcp">

/** Where machines can be: the part of a configuration that says it. */
export type Clouds = Pick<CloudConfig, "hetzner" | "gcp">

/** @throws InfraError `no-token` where there is no Hetzner */
export function hetznerOf({ hetzner }: Clouds): HetznerCloud {
  if (hetzner) return hetzner
  throw new InfraError(
    "no-token",
    "fail",
    "This is for Hetzner alone: set HCLOUD_TOKEN to a read-and-write token of a Hetzner project.",
  )
}

/**
 * The projects of all providers. Their names tell them apart whosever they are: the main one of Hetzner is `main`, further
 * ones there have names of the operator's, and those of Google their ids at Google.
 */
export interface Places {
  /** Hetzner's first, the main one of each provider before the others. */
  names: string[]
  /** Those that are set up. */
  providers: OpenedProvider[]
  /** @throws InfraError `unknown-project` */
  providerOf(project: string): OpenedProvider
  /** A provider's main project, which has its DNS zone; null where the provider is not set up. */
  mainOf(provider: OpenedProvider): string | null
}

export interface Projects extends Places {
  /** One project's machines. @throws InfraError `unknown-project` */
  in(project: string): Machines
  /** Those of all together, see `severalProjects`. */
  all: Machines
}

/** Which projects a configuration names. */
export function placesOf({ hetzner, gcp }: Clouds): Places {
  const named: Partial<Record<OpenedProvider, string[]>> = {
    ...(hetzner ? { hetzner: [MAIN_PROJECT, ...Object.keys(hetzner.further ?? {})] } : {}),
    ...(gcp ? { gcp: gcp.projects } : {}),
  }
  const providers = Object.keys(named) as OpenedProvider[]
  return {
    names: providers.flatMap(provider => named[provider] ?? []),
    providers,
    providerOf(project) {
      const found = providers.find(provider => named[provider]?.includes(project))
      if (!found) throw unknownProject(project)
      return found
    },
    mainOf: provider => named[provider]?.[0] ?? null,
  }
}

/**
 * The machines of each project, without the engine: light enough for any process.
 * @param heard hears of each request's end
 */
export function openProjects(clouds: Clouds, heard?: (project: string, heard: Heard) => void): Projects {
  const hears = (project: string) => (heard ? { heard: (one: Heard) => heard(project, one) } : {})
  const places = placesOf(clouds)
  const projects = new Map<string, Machines>()
  if (clouds.hetzner) {
    const { endpoint, token, further = {} } = clouds.hetzner
    const open = (project: string, token: string) =>
      createHetznerApi({ endpoint, token: new Secret(token), ...hears(project) })
    const main = open(MAIN_PROJECT, token)
    projects.set(MAIN_PROJECT, createHetznerMachines(main))
    for (const [name, token] of Object.entries(further))
      projects.set(name, createHetznerMachines(open(name, token), main))
  }
  if (clouds.gcp) {
    const { projects: ids, zones, accessToken, credentialsFile, endpoint, market } = clouds.gcp
    const open = (project: string) =>
      createGcpApi({
        ...{ project, zones, accessToken: accessToken ? new Secret(accessToken) : null, ...hears(project) },
        ...(credentialsFile ? { credentialsFile } : {}),
        ...(endpoint ? { endpoint } : {}),
        ...(market ? { market } : {}),
      })
    const main = open(ids[0] as string)
    for (const id of ids) projects.set(id, createGcpMachines(id === ids[0] ? main : open(id), main))
  }
  const alone = projects.size === 1 ? projects.get(MAIN_PROJECT) : undefined
  return {
    ...places,
    in(project) {
      const found = projects.get(project)
      if (!found) throw unknownProject(project)
      return found
    },
    all: alone ?? severalProjects(projects, (project, id) => COULD_HAVE[places.providerOf(project)](id, project)),
  }
}

/** Could a project have something of this id? Hetzner numbers all; at Google machines and disks have paths, the rest names. */
const COULD_HAVE: Record<OpenedProvider, (id: string, project: string) => boolean> = {
  hetzner: id => /^\d+$/.test(id),
  gcp: (id, project) => (id.includes("/") ? id.startsWith(`projects/${project}/`) : !/^\d+$/.test(id)),
}

/** The machines of all projects, for whoever needs no more. */
export const openMachines = (config: Clouds): Machines => openProjects(config).all
