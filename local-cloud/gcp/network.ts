import { inUse, invalid } from "./errors.ts"
import { takeQuota } from "./quotas.ts"
import { fingerprintOf, type GcpState, type Json, pathFrom } from "./state.ts"

/** Networks, their parts, rules, addresses and schedules: what is made in one step, and removed when nothing uses it. */

type Made = (state: GcpState, place: string, body: Json) => Json

/** What is made of a request, by kind. */
const MADE: Record<string, Made> = {
  networks: (_, __, { name, autoCreateSubnetworks, description, routingConfig }) => ({
    ...{ name, autoCreateSubnetworks, routingConfig, description: description ?? "" },
  }),
  subnetworks: (state, place, body) => {
    const network = state.get(pathFrom(String(body.network), state.settings.project))
    for (const [path, other] of state.all("subnetworks"))
      if (other.network === network.selfLink && other.ipCidrRange === body.ipCidrRange)
        throw invalid(
          `Invalid IPCidrRange: ${body.ipCidrRange} conflicts with existing subnetwork '${path.split("/").at(-1)}'.`,
        )
    const { name, ipCidrRange, stackType, ipv6AccessType } = body
    const region = state.link(`projects/${state.settings.project}/regions/${place}`)
    return { ...{ name, ipCidrRange, stackType, ipv6AccessType, region }, network: network.selfLink }
  },
  firewalls: (state, _, body) => {
    const network = state.get(pathFrom(String(body.network), state.settings.project))
    const ranges = (body.sourceRanges as string[] | undefined) ?? []
    if (ranges.some(one => one.includes(":")) && ranges.some(one => !one.includes(":")))
      throw invalid("Invalid value for field 'resource.sourceRanges': IPv4 and IPv6 ranges cannot be in one rule.")
    return { ...body, network: network.selfLink, priority: body.priority ?? 1000 }
  },
  addresses: (state, place, body) => {
    const isSix = body.ipVersion === "IPV6"
    if (!isSix) takeQuota(state, place, { STATIC_ADDRESSES: 1 })
    if (isSix) state.get(pathFrom(String(body.subnetwork), state.settings.project))
    const number = Number(BigInt(state.nextId()) % 60_000n)
    const address = isSix ? `2600:1900:4000:${number.toString(16)}:0:0:0:0` : `203.0.${number >> 8}.${number % 256}`
    return {
      ...{ ...body, status: "RESERVED", users: [], address, labelFingerprint: fingerprintOf(body.labels) },
      ...(isSix ? { prefixLength: 96 } : {}),
      region: state.link(`projects/${state.settings.project}/regions/${place}`),
    }
  },
  resourcePolicies: (state, place, body) => ({
    ...{ ...body, status: "READY", region: state.link(`projects/${state.settings.project}/regions/${place}`) },
  }),
}

/** Who uses a resource, as a link; null: nobody. */
const USERS: Record<string, (state: GcpState, link: unknown) => unknown> = {
  networks: (state, link) => state.all("subnetworks").find(([, one]) => one.network === link)?.[1].selfLink,
  subnetworks: (state, link) =>
    state
      .all("instances")
      .find(([, one]) => (one.networkInterfaces as Json[]).some(nic => nic.subnetwork === link))?.[1].selfLink,
  firewalls: () => null,
  addresses: (state, link) =>
    (state.all("addresses").find(([, one]) => one.selfLink === link)?.[1].users as string[] | undefined)?.[0],
  resourcePolicies: (state, link) =>
    state.all("disks").find(([, one]) => ((one.resourcePolicies as string[]) ?? []).includes(String(link)))?.[1]
      .selfLink,
}

export const KINDS = Object.keys(MADE)

export function insertPart(state: GcpState, scope: string, kind: string, body: Json): Json {
  const place = scope.split("/").at(-1) as string
  const path = `${scope}/${kind}/${body.name}`
  return state.change(scope, {
    ...{ target: path, operationType: "insert" },
    begin: () =>
      state.add(path, { kind: `compute#${kind}`, ...MADE[kind]?.(state, place, body), name: String(body.name) }),
  })
}

export function deletePart(state: GcpState, scope: string, kind: string, name: string): Json {
  const path = `${scope}/${kind}/${name}`
  const user = USERS[kind]?.(state, state.get(path).selfLink)
  if (user) throw inUse(path, String(user))
  return state.change(scope, {
    ...{ target: path, operationType: "delete" },
    begin: () => {},
    finish: () => void state.resources.delete(path),
  })
}
