import { createRequire } from "node:module"
import type { AddressesClient } from "@google-cloud/compute/build/src/v1/addresses_client.js"
import type { DisksClient } from "@google-cloud/compute/build/src/v1/disks_client.js"
import type { FirewallsClient } from "@google-cloud/compute/build/src/v1/firewalls_client.js"
import type { GlobalOperationsClient } from "@google-cloud/compute/build/src/v1/global_operations_client.js"
import type { ImagesClient } from "@google-cloud/compute/build/src/v1/images_client.js"
import type { InstancesClient } from "@google-cloud/compute/build/src/v1/instances_client.js"
import type { MachineTypesClient } from "@google-cloud/compute/build/src/v1/machine_types_client.js"
import type { NetworksClient } from "@google-cloud/compute/build/src/v1/networks_client.js"
import type { RegionOperationsClient } from "@google-cloud/compute/build/src/v1/region_operations_client.js"
import type { RegionsClient } from "@google-cloud/compute/build/src/v1/regions_client.js"
import type { ResourcePoliciesClient } from "@google-cloud/compute/build/src/v1/resource_policies_client.js"
import type { SnapshotsClient } from "@google-cloud/compute/build/src/v1/snapshots_client.js"
import type { SubnetworksClient } from "@google-cloud/compute/build/src/v1/subnetworks_client.js"
import type { ZoneOperationsClient } from "@google-cloud/compute/build/src/v1/zone_operations_client.js"
import type { ZonesClient } from "@google-cloud/compute/build/src/v1/zones_client.js"
import type { GcpProject } from "./gcp-api.ts"

/** Google's clients, one for each kind of resource. */
export interface GcpClients {
  addresses: AddressesClient
  disks: DisksClient
  firewalls: FirewallsClient
  globalOperations: GlobalOperationsClient
  images: ImagesClient
  instances: InstancesClient
  machineTypes: MachineTypesClient
  networks: NetworksClient
  regionOperations: RegionOperationsClient
  regions: RegionsClient
  resourcePolicies: ResourcePoliciesClient
  snapshots: SnapshotsClient
  subnetworks: SubnetworksClient
  zoneOperations: ZoneOperationsClient
  zones: ZonesClient
}

/** Services of Google that the library for machines does not speak to, and where they are. */
const SERVICES = { dns: "https://dns.googleapis.com", cloudbilling: "https://cloudbilling.googleapis.com" } as const

export type Rest = (
  service: keyof typeof SERVICES,
  method: "GET" | "DELETE",
  path: string,
  options?: { signal?: AbortSignal | undefined },
) => Promise<unknown>

/** A request without an answer is given up after this long, milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Reads the library and opens its clients. The library's own index would read some 30 MB more, of kinds that nobody needs
 * here: hence each client by its file.
 */
export async function loadClients({
  accessToken,
  credentialsFile,
  endpoint,
}: GcpProject): Promise<{ compute: GcpClients; rest: Rest }> {
  const { GoogleAuth, OAuth2Client } = await import("google-auth-library")
  const scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  const given = new OAuth2Client()
  if (accessToken) given.setCredentials({ access_token: accessToken.reveal() })
  const auth = accessToken
    ? new GoogleAuth({ authClient: given, scopes })
    : new GoogleAuth({ scopes, ...(credentialsFile ? { keyFilename: credentialsFile } : {}) })

  const url = endpoint === undefined ? null : new URL(endpoint)
  const where = url && {
    apiEndpoint: url.hostname,
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    protocol: url.protocol.replace(":", ""),
  }
  const require = createRequire(import.meta.url)
  const opened = new Map<string, unknown>()
  /** A client, opened when it is first needed: each takes a tenth of a second. */
  const of = <T>(name: string): T => {
    if (!opened.has(name)) {
      const file = name.replace(/(?!^)[A-Z]/g, letter => `_${letter}`).toLowerCase()
      const Client = require(`@google-cloud/compute/build/src/v1/${file}.js`)[name] as new (options: object) => object
      opened.set(name, bounded(new Client({ auth, ...where, fallback: true })))
    }
    return opened.get(name) as T
  }
  const compute: GcpClients = {
    get addresses() {
      return of<AddressesClient>("AddressesClient")
    },
    get disks() {
      return of<DisksClient>("DisksClient")
    },
    get firewalls() {
      return of<FirewallsClient>("FirewallsClient")
    },
    get globalOperations() {
      return of<GlobalOperationsClient>("GlobalOperationsClient")
    },
    get images() {
      return of<ImagesClient>("ImagesClient")
    },
    get instances() {
      return of<InstancesClient>("InstancesClient")
    },
    get machineTypes() {
      return of<MachineTypesClient>("MachineTypesClient")
    },
    get networks() {
      return of<NetworksClient>("NetworksClient")
    },
    get regionOperations() {
      return of<RegionOperationsClient>("RegionOperationsClient")
    },
    get regions() {
      return of<RegionsClient>("RegionsClient")
    },
    get resourcePolicies() {
      return of<ResourcePoliciesClient>("ResourcePoliciesClient")
    },
    get snapshots() {
      return of<SnapshotsClient>("SnapshotsClient")
    },
    get subnetworks() {
      return of<SubnetworksClient>("SubnetworksClient")
    },
    get zoneOperations() {
      return of<ZoneOperationsClient>("ZoneOperationsClient")
    },
    get zones() {
      return of<ZonesClient>("ZonesClient")
    },
  }
  const rest: Rest = async (service, method, path, { signal } = {}) => {
    const limits = [AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])]
    const response = await auth.request({
      url: `${endpoint ?? SERVICES[service]}${path}`,
      method,
      signal: AbortSignal.any(limits),
      responseType: "text",
      retry: false,
      validateStatus: () => true,
    })
    if (response.status === 404) return null
    const text = String(response.data ?? "")
    if (response.status >= 400) throw answered(response.status, text)
    return text === "" ? {} : JSON.parse(text)
  }
  return { compute, rest }
}

/**
 * A client whose requests are given up in time and made once: the library's own way is to go on for ten minutes, deaf to
 * signals. They are repeated in one place, ours.
 */
function bounded<T extends object>(client: T): T {
  return new Proxy(client, {
    get(target, name) {
      const method = Reflect.get(target, name)
      if (typeof method !== "function") return method
      return (request: unknown, options: object = {}) =>
        method.call(target, request, { timeout: PATIENCE_MS, retry: null, ...options })
    },
  })
}

/** An answer of another service, as the library would throw it. */
function answered(status: number, text: string): Error {
  return Object.assign(new Error(text.slice(0, 500)), {
    httpStatusCode: status,
    [Symbol.for("google-gax.rawHttpResponsePayload")]: text,
  })
}
