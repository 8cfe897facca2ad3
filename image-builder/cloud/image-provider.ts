import { type CloudConfig, hetznerOf } from "../../infra/cloud-config.ts"
import { createEngine, type Engine, type Program } from "../../infra/engine.ts"
import type { EngineConfig } from "../../infra/engine-config.ts"
import { type ExtraPlugin, ensurePlugin } from "../../infra/engine-plugins.ts"
import { createGcpMachines } from "../../infra/machines/gcp.ts"
import { createGcpApi } from "../../infra/machines/gcp-api.ts"
import { createGcpImages, type GcpAccess } from "../../infra/machines/gcp-images.ts"
import { createHetznerMachines } from "../../infra/machines/hetzner.ts"
import { createHetznerApi } from "../../infra/machines/hetzner-api.ts"
import { createHetznerImages } from "../../infra/machines/hetzner-images.ts"
import type { ProviderImages } from "../../infra/machines/images.ts"
import { Secret, sealed } from "../../infra/secret.ts"
import type { Build } from "./builder.ts"
import { type BuilderOffer, builderOffer, requireSystem } from "./builder-offer.ts"
import type { GcpPlace } from "./gcp-image.ts"
import type { HetznerPlace } from "./hetzner-image.ts"

/** A cloud in which golden images are made. */
export interface ImageProvider {
  name: "hetzner" | "gcp"
  /** Which of several projects it is, so that none takes another's builder for its own; null: the main one of Hetzner. */
  project: string | null
  /** What a builder costs here now. @throws InfraError `unknown-region`, `provider-no-capacity`, `no-builder-system` */
  offer(signal?: AbortSignal): Promise<BuilderOffer>
  engine: Engine
  images: ProviderImages
  /** Fetches these plugins of the engine and the provider's own. @throws InfraError `plugin-missing` */
  prepare(plugins: ExtraPlugin[], signal?: AbortSignal): Promise<void>
  program(build: Build): Promise<Program>
  /** Turns the builder off, where the program's next stage does not do it. */
  powerOff(builderId: string, signal?: AbortSignal): Promise<void>
}

/** The smallest machine sold is the right one: a snapshot fits machines whose disk is as large as its builder's. */
const HETZNER_PLACE: HetznerPlace = { region: "fsn1", size: "cx23" }
const GCP_PLACE = { size: "e2-standard-4", diskGb: 20 }

/**
 * Images at Hetzner, or at whatever `HCLOUD_ENDPOINT` names.
 * @param project the name of the further project whose token `config` holds in the place of the main one's
 */
export function hetznerImageProvider(
  config: CloudConfig,
  given: Partial<HetznerPlace> = {},
  project: string | null = null,
): ImageProvider {
  const place = { ...HETZNER_PLACE, ...given }
  const hetzner = hetznerOf(config)
  const token = new Secret(hetzner.token)
  const api = createHetznerApi({ endpoint: hetzner.endpoint, token })
  const machines = createHetznerMachines(api)
  const engine = engineConfig(config, { HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: hetzner.endpoint })
  return {
    name: "hetzner",
    project,
    async offer(signal) {
      const [offer, { snapshotGbMonthly }] = await Promise.all([
        builderOffer(machines, place, signal),
        machines.sidePrices(signal ? { signal } : {}),
        requireSystem(api, hetzner.endpoint, signal),
      ])
      return { ...offer, imageGbMonthly: snapshotGbMonthly }
    },
    engine: createEngine(engine),
    images: createHetznerImages(api),
    async prepare(plugins, signal) {
      for (const name of plugins) await ensurePlugin(engine, name, signal)
    },
    program: async build => {
      const { hetznerImageProgram } = await import("./hetzner-image.ts")
      return hetznerImageProgram(build, place)
    },
    async powerOff(builderId, signal) {
      await machines.shutDown(builderId, signal ? { signal } : {})
    },
  }
}

/** Images at Google Cloud. */
export function gcpImageProvider(
  config: Omit<CloudConfig, "hetzner" | "gcp">,
  access: GcpAccess,
  given: Partial<GcpPlace> = {},
): ImageProvider {
  const { project, zone, accessToken, endpoint } = access
  const place = { ...GCP_PLACE, project, zone, ...given }
  const engine = engineConfig(config, {
    ...{ GOOGLE_OAUTH_ACCESS_TOKEN: accessToken, GOOGLE_PROJECT: project },
    ...(endpoint ? { GOOGLE_COMPUTE_CUSTOM_ENDPOINT: `${endpoint}/` } : {}),
  })
  return {
    name: "gcp",
    project,
    async offer(signal) {
      const root = endpoint ? { endpoint: endpoint.replace(/\/compute\/v1$/, "") } : {}
      const machines = createGcpMachines(createGcpApi({ project, zones: [zone], accessToken, ...root }))
      // Google's list says what snapshots cost, and of images nothing.
      return { ...(await builderOffer(machines, { region: zone, size: place.size }, signal)), imageGbMonthly: null }
    },
    engine: createEngine(engine),
    images: createGcpImages(access),
    async prepare(plugins, signal) {
      for (const name of [...plugins, "gcp"] as const) await ensurePlugin(engine, name, signal)
    },
    program: async build => {
      const { gcpImageProgram } = await import("./gcp-image.ts")
      return gcpImageProgram(build, place)
    },
    // The program says what power its instance has.
    powerOff: async () => {},
  }
}

function engineConfig(
  {
    pulumi,
    pulumiVersion,
    home,
    workDirectory,
    backendUrl,
    backendEnv,
    passphrase,
  }: Omit<CloudConfig, "hetzner" | "gcp">,
  providerEnv: EngineConfig["providerEnv"],
): EngineConfig {
  const engine = { pulumi, pulumiVersion, home, workDirectory, backendUrl }
  return { ...engine, backendEnv: sealed(backendEnv), passphrase: new Secret(passphrase), providerEnv }
}
