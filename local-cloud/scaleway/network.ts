import { invalid, unmet } from "./errors.ts"
import type { Json, Resource, ScalewayState } from "./state.ts"

/** Flexible addresses, security groups, and Domains and DNS. What is answered of these is so at once. */

let last = 0

export function makeIp(state: ScalewayState, zone: string, body: Json): Json {
  const type = String(body.type)
  if (type !== "routed_ipv4" && type !== "routed_ipv6") throw invalid("type", "is not a type of address")
  const number = ++last % 60_000
  const { project } = state.settings
  const made = state.add("ips", zone, {
    ...{ reverse: null, server: null, organization: project, project, type, tags: body.tags ?? [] },
    ...(type === "routed_ipv4"
      ? { address: `203.0.${number >> 8}.${number & 255}`, prefix: null }
      : { address: null, prefix: `2001:bc8:710:${number.toString(16)}::/64` }),
  })
  return { ip: shownIp(made) }
}

export const shownIp = (ip: Resource): Resource => ({
  ...ip,
  state: ip.server ? "attached" : "detached",
  ipam_id: ip.id,
})

/** An address as the machine that has it shows it: out of a network of IPv6 it has one by its own number. */
export function addressOf(ip: Resource, server: Resource): Json {
  const isSix = ip.type === "routed_ipv6"
  const [a = "0", b = "1"] = String(server.id).split("-")[0]?.match(/.{4}/g) ?? []
  return {
    ...{ id: ip.id, dynamic: false, tags: ip.tags, state: "attached", ipam_id: ip.id },
    ...(isSix
      ? {
          address: String(ip.prefix).replace("::/64", `:dc00:1ff:${a}:${b}`),
          ...{ gateway: "fe80::1", netmask: "64", family: "inet6", provisioning_mode: "slaac" },
        }
      : {
          address: ip.address,
          ...{ gateway: "62.210.0.1", netmask: "32", family: "inet", provisioning_mode: "dhcp" },
        }),
  }
}

/** An address that comes with a machine and goes with it. */
export const dynamicAddress = (server: Resource): Json => ({
  ...{ id: server.id, address: "198.51.100.7", dynamic: true, tags: [], state: "attached", ipam_id: server.id },
  ...{ gateway: "62.210.0.1", netmask: "32", family: "inet", provisioning_mode: "dhcp" },
})

const POLICIES = ["accept", "drop"]

export function makeGroup(state: ScalewayState, zone: string, body: Json): Json {
  for (const policy of ["inbound_default_policy", "outbound_default_policy"])
    if (!POLICIES.includes(String(body[policy]))) throw invalid(policy, "is not a policy")
  const { project } = state.settings
  const made = state.add("security_groups", zone, {
    ...{ name: body.name, description: body.description ?? null, organization: project, project },
    ...{ stateful: body.stateful, enable_default_security: body.enable_default_security, tags: body.tags ?? [] },
    inbound_default_policy: body.inbound_default_policy,
    outbound_default_policy: body.outbound_default_policy,
    ...{ organization_default: false, project_default: false, state: "available", rules: [] },
    ...{ creation_date: state.now(), modification_date: state.now() },
  })
  return { security_group: shownGroup(state, made) }
}

export function shownGroup(state: ScalewayState, { rules: _, ...group }: Resource): Json {
  const servers = state
    .all("servers", String(group.zone))
    .filter(({ security_group: own }) => (own as Json).id === group.id)
    .map(({ id, name }) => ({ id, name }))
  return { ...group, servers }
}

/** Replaces the rules of a group. */
export function setRules(state: ScalewayState, zone: string, id: string, body: Json): Json {
  const group = state.get("security_groups", zone, id)
  group.rules = (body.rules as Json[]).map((rule, at) => {
    if (!/^[\da-f.:]+\/\d+$/.test(String(rule.ip_range))) throw invalid("ip_range", "is no network")
    return { ...rule, id: `${id.slice(0, -2)}${String(at).padStart(2, "0")}`, position: at + 1, editable: true, zone }
  })
  return { rules: group.rules }
}

export function removeGroup(state: ScalewayState, zone: string, id: string): Json {
  const { servers } = shownGroup(state, state.get("security_groups", zone, id)) as { servers: unknown[] }
  if (servers.length > 0) throw unmet("resource_still_in_use", "Security group is still in use")
  state.remove("security_groups", id)
  return {}
}

export function removeIp(state: ScalewayState, zone: string, id: string): Json {
  state.get("ips", zone, id)
  state.remove("ips", id)
  return {}
}
