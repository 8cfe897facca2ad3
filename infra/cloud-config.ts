import { z } from "zod"
import type { Machines } from "./machines/contract.ts"
import { createHetznerMachines } from "./machines/hetzner.ts"
import { createHetznerApi, HETZNER_ENDPOINT, type Heard } from "./machines/hetzner-api.ts"
import { severalProjects } from "./machines/several-projects.ts"
import { MAIN_PROJECT, ProjectName, unknownProject } from "./projects.ts"
import { Secret } from "./secret.ts"

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
  hetzner: z.strictObject({
    token: z.string(),
    endpoint: z.string().default(HETZNER_ENDPOINT),
    /** Tokens of further projects, by name. */
    further: z.record(ProjectName, z.string()).optional(),
  }),
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

/** The projects of a provider. */
export interface Projects {
  /** The main one first, then the others in the order in which they are given. */
  names: string[]
  /** One project's machines. @throws InfraError `unknown-project` */
  in(project: string): Machines
  /** Those of all together, see `severalProjects`. */
  all: Machines
}

/**
 * The machines of each project, without the engine: light enough for any process.
 * @param heard hears of each request's end
 */
export function openProjects(
  { hetzner }: Pick<CloudConfig, "hetzner">,
  heard?: (project: string, heard: Heard) => void,
): Projects {
  const { endpoint, token, further = {} } = hetzner
  const open = (project: string, token: string) =>
    createHetznerApi({
      ...{ endpoint, token: new Secret(token) },
      ...(heard ? { heard: (one: Heard) => heard(project, one) } : {}),
    })
  const main = open(MAIN_PROJECT, token)
  const projects = new Map([[MAIN_PROJECT, createHetznerMachines(main)]])
  for (const [name, token] of Object.entries(further))
    projects.set(name, createHetznerMachines(open(name, token), main))
  return {
    names: [...projects.keys()],
    in(project) {
      const found = projects.get(project)
      if (!found) throw unknownProject(project)
      return found
    },
    all: projects.size === 1 ? (projects.get(MAIN_PROJECT) as Machines) : severalProjects(projects),
  }
}

/** The machines of all projects, for whoever needs no more. */
export const openMachines = (config: Pick<CloudConfig, "hetzner">): Machines => openProjects(config).all
