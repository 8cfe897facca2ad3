import { gcpImageProvider, hetznerImageProvider, type ImageProvider } from "../../image-builder/cloud/image-provider.ts"
import { type CloudConfig, hetznerOf } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import { GcpZone } from "../../infra/gcp-settings.ts"
import { gcpAccessToken } from "../../infra/machines/gcp-token.ts"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import { Secret } from "../../infra/secret.ts"
import { cloudConfig } from "../settings.ts"

/** Where an image is made, as the command line says it. */
export interface Where {
  provider: ImageProvider["name"]
  region?: string
  project?: string
}

/** A project in which images are made. */
export interface ImagePlace {
  provider: ImageProvider
  project: string
  /** The provider's main project, in which it is chosen what machines are made from. */
  main: string
}

/**
 * The project that is meant, with the credentials of the environment.
 * @throws InfraError `no-token`, `unknown-project`, `unknown-region`, `provider-unauthorized`, and as `cloudConfig` does
 */
export const openImagePlace = (where: Where, env: NodeJS.ProcessEnv): Promise<ImagePlace> =>
  where.provider === "hetzner" ? hetznerPlace(where, env) : googlePlace(where, env)

async function hetznerPlace({ project = MAIN_PROJECT, region }: Where, env: NodeJS.ProcessEnv): Promise<ImagePlace> {
  if (!env.HCLOUD_TOKEN)
    throw refused(
      "no-token",
      "A build at Hetzner needs HCLOUD_TOKEN: set it to a read-and-write token of the project. For the local cloud leave --provider out: its images are built on this machine.",
    )
  const config = cloudConfig(env)
  const { token: mainToken, further = {}, ...hetzner } = hetznerOf(config)
  const token = project === MAIN_PROJECT ? mainToken : further[project]
  if (token === undefined) throw unknownProject(project, [MAIN_PROJECT, ...Object.keys(further)], "FOOZOL_PROJECTS")
  const own: CloudConfig = { ...config, hetzner: { ...hetzner, token } }
  const place = region === undefined ? {} : { region }
  const named = project === MAIN_PROJECT ? null : project
  return { provider: hetznerImageProvider(own, place, named), project, main: MAIN_PROJECT }
}

async function googlePlace(where: Where, env: NodeJS.ProcessEnv): Promise<ImagePlace> {
  if (!env.FOOZOL_GCP_PROJECTS)
    throw refused(
      "no-token",
      "A build at Google needs FOOZOL_GCP_PROJECTS, the project's id, and credentials: GOOGLE_OAUTH_ACCESS_TOKEN, which `gcloud auth print-access-token` prints, or FOOZOL_GCP_CREDENTIALS, the file of a service account's key.",
    )
  const { gcp, ...config } = cloudConfig(env)
  // The setting is there, so the configuration is.
  const { projects, zones, accessToken, credentialsFile, endpoint } = gcp as NonNullable<typeof gcp>
  const [main] = projects as [string]
  const project = where.project ?? main
  if (!projects.includes(project)) throw unknownProject(project, projects, "FOOZOL_GCP_PROJECTS")
  const zone = GcpZone.safeParse(where.region ?? zones[0])
  if (!zone.success) throw refused("unknown-region", "--region must be a zone of Google's, such as us-central1-a.")
  const access = {
    ...{ project, zone: zone.data },
    accessToken: accessToken ? new Secret(accessToken) : await gcpAccessToken(credentialsFile),
    ...(endpoint ? { endpoint: `${endpoint}/compute/v1` } : {}),
  }
  return { provider: gcpImageProvider(config, access), project, main }
}

const refused = (id: string, message: string) => new InfraError(id, "fail", message)

const unknownProject = (project: string, known: string[], setting: string) =>
  refused(
    "unknown-project",
    `There is no project "${project}" here, only ${known.join(", ")}: name it in ${setting} first.`,
  )
