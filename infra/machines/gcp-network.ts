import { InfraError } from "../errors.ts"
import { GCP_NETWORK, regionOfZone } from "../gcp-names.ts"
import type { GcpApi } from "./gcp-api.ts"
import { eachPage } from "./gcp-questions.ts"
import { orNull } from "./or-null.ts"

/** Parts of 10.0.0.0/8 that regions get, one each: `10.N.0.0/20`. Those below are the default network's and of builders. */
const FIRST = 64
const LAST = 255

/**
 * Makes what all workspaces of a zone share, where it is not there: a network of its own, since Google's default one lets
 * in SSH from everywhere and everything from neighbours, and in it the region's part, with addresses of both families.
 */
export async function ensureNetwork(api: GcpApi, zone: string, signal?: AbortSignal): Promise<void> {
  const { project } = api.project
  const region = regionOfZone(zone)
  const known = ({ region }: { region: string }) =>
    orNull(api.ask(({ subnetworks }) => subnetworks.get({ project, region, subnetwork: GCP_NETWORK }), signal))
  if (await known({ region })) return
  const network = await orNull(api.ask(({ networks }) => networks.get({ project, network: GCP_NETWORK }), signal))
  if (!network) {
    const wanted = {
      name: GCP_NETWORK,
      autoCreateSubnetworks: false,
      description: "foozol-cloud: machines of workspaces",
      routingConfig: { routingMode: "REGIONAL" },
    }
    await unlessThere(
      api.change(({ networks }, requestId) => networks.insert({ project, requestId, networkResource: wanted }), {
        signal,
      }),
    )
  }
  for (let tries = 0; ; tries++) {
    const taken = await ranges(api, signal)
    const free = Array.from({ length: LAST - FIRST }, (_, at) => `10.${FIRST + at}.0.0/20`).find(one => !taken.has(one))
    if (free === undefined)
      throw new InfraError("provider-limit", "fail", "The network has no range left for a region.")
    const subnetworkResource = {
      ...{ name: GCP_NETWORK, network: `projects/${project}/global/networks/${GCP_NETWORK}`, ipCidrRange: free },
      ...{ stackType: "IPV4_IPV6", ipv6AccessType: "EXTERNAL" },
    }
    try {
      await unlessThere(
        api.change(
          ({ subnetworks }, requestId) => subnetworks.insert({ project, region, requestId, subnetworkResource }),
          { signal },
        ),
      )
      return
    } catch (error) {
      // Another region has taken the range meanwhile.
      if (tries === 3 || !(error instanceof InfraError) || error.id !== "provider-refused") throw error
    }
  }
}

async function ranges(api: GcpApi, signal: AbortSignal | undefined): Promise<Set<string>> {
  const { project } = api.project
  const all = await api.ask(async ({ subnetworks }) => {
    const found: string[] = []
    for await (const [, scope] of subnetworks.aggregatedListAsync({ project }, eachPage()))
      for (const one of scope.subnetworks ?? [])
        if (one.network?.endsWith(`/${GCP_NETWORK}`)) found.push(one.ipCidrRange ?? "")
    return [found] as const
  }, signal)
  return new Set(all)
}

/** Somebody else's making of the same thing is as good. */
async function unlessThere(making: Promise<void>): Promise<void> {
  await making.catch(error => {
    if (!(error instanceof InfraError) || error.id !== "name-taken") throw error
  })
}
