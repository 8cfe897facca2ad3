import { makeVolume, type Reference, setUser } from "./block.ts"
import { TYPES } from "./catalog.ts"
import { invalid, moving, outOfStock, ScalewayRefusal, unmet } from "./errors.ts"
import { addressOf, dynamicAddress } from "./network.ts"
import type { Json, Resource, ScalewayState } from "./state.ts"

type Places = Record<string, { id: string; volume_type: string }>

const referenceTo = (server: Resource): Reference => ({
  product_resource_type: "instance_server",
  product_resource_id: server.id,
})

/** Makes a machine, switched off. Its disk is a volume made from the image's snapshot. */
export function makeServer(state: ScalewayState, zone: string, body: Json): Json {
  const type = TYPES[String(body.commercial_type)]
  if (!type) throw invalid("commercial_type", "is not a valid commercial type")
  const image = state.get("images", zone, String(body.image))
  if (image.arch !== type.arch) throw invalid("image", "is not compatible with the commercial type")
  const group = state.get("security_groups", zone, String(body.security_group))
  const ips = ((body.public_ips as string[] | undefined) ?? []).map(id => state.get("ips", zone, id))
  if (ips.some(ip => ip.server)) throw invalid("public_ips", "is attached to another server")
  const wanted = (body.volumes as Record<string, Json> | undefined)?.["0"] ?? {}
  const snapshot = (image.root_volume as { id: string }).id
  const { project } = state.settings
  const server = state.add("servers", zone, {
    ...{ name: body.name, arch: type.arch, commercial_type: body.commercial_type, boot_type: body.boot_type },
    ...{ organization: project, project, hostname: body.name, image, tags: body.tags ?? [], state: "stopped" },
    ...{ protected: body.protected ?? false, state_detail: "", public_ip: null, public_ips: [], private_nics: [] },
    ...{ dynamic_ip_required: body.dynamic_ip_required ?? true, routed_ip_enabled: true, ipv6: null },
    ...{ creation_date: state.now(), modification_date: state.now(), maintenances: [], placement_group: null },
    ...{ security_group: { id: group.id, name: group.name }, location: null, filesystems: [], end_of_service: false },
    ...{ allowed_actions: ["poweron", "backup"], volumes: {}, mac_address: "de:00:01:27:16:ed", private_ip: null },
  })
  const disk = makeVolume(
    state,
    zone,
    {
      name: `${image.name}_sbs_volume_0`,
      from_snapshot: { snapshot_id: snapshot, size: wanted.size ?? null },
      perf_iops: 5_000,
    },
    "available",
  )
  place(state, server, { "0": { id: disk.id, volume_type: "sbs_volume" } })
  for (const ip of ips) ip.server = { id: server.id, name: server.name }
  return { server: shown(state, server) }
}

/** Puts these volumes, and no others, at a machine. */
function place(state: ScalewayState, server: Resource, places: Places): void {
  const before = server.volumes as Places
  const ids = Object.values(places).map(({ id }) => id)
  const volumes = ids.map(id => state.get("volumes", server.zone, id))
  const kept = new Set(Object.values(before).map(({ id }) => id))
  for (const volume of volumes)
    if (!kept.has(volume.id) && volume.status !== "available") throw moving("volume", volume.id, String(volume.status))
  for (const { id } of Object.values(before)) {
    const volume = state.find("volumes", server.zone, id)
    if (volume && !ids.includes(id)) setUser(state, volume, null)
  }
  for (const volume of volumes) if (!kept.has(volume.id)) setUser(state, volume, referenceTo(server))
  const { zone } = server
  server.volumes = Object.fromEntries(
    Object.entries(places).map(([at, { id, volume_type }]) => [
      at,
      { boot: false, volume_type, id, state: "available", zone },
    ]),
  )
}

/** A machine as it is shown: its addresses are those of the moment. */
export function shown(state: ScalewayState, server: Resource): Resource {
  const own = state.all("ips", server.zone).filter(ip => (ip.server as { id: string } | null)?.id === server.id)
  const addresses = own.map(ip => addressOf(ip, server))
  const isOn = server.state === "running"
  const all = server.dynamic_ip_required && isOn && addresses.length === 0 ? [dynamicAddress(server)] : addresses
  const first = all.find(({ family }) => family === "inet") ?? null
  const { security_group: group } = server
  return { ...server, security_group: group, public_ip: first, public_ips: all }
}

/** Changes that take no time. */
export function changeServer(state: ScalewayState, zone: string, id: string, body: Json): Json {
  const server = state.get("servers", zone, id)
  const volumes = body.volumes as Places | undefined
  if (volumes) {
    const isRootAnother = volumes["0"]?.id !== (server.volumes as Places)["0"]?.id
    if (isRootAnother && server.state !== "stopped") throw unmet("server_must_be_stopped", "Instance must be stopped")
    place(state, server, volumes)
  }
  for (const field of ["name", "tags", "protected"]) if (body[field] !== undefined) server[field] = body[field]
  return { server: shown(state, server) }
}

export function attach(state: ScalewayState, zone: string, id: string, body: Json): Json {
  const server = state.get("servers", zone, id)
  const places = server.volumes as Places
  const free = ["0", "1", "2", "3", "4", "5"].find(at => !places[at]) ?? "6"
  place(state, server, { ...places, [free]: { id: String(body.volume_id), volume_type: String(body.volume_type) } })
  return { server: shown(state, server) }
}

export function detach(state: ScalewayState, zone: string, id: string, body: Json): Json {
  const server = state.get("servers", zone, id)
  const places = Object.entries(server.volumes as Places)
  const [at] = places.find(([, one]) => one.id === body.volume_id) ?? []
  if (at === undefined) throw invalid("volume_id", "is not attached to this server")
  if (at === "0" && server.state !== "stopped") throw unmet("server_must_be_stopped", "Instance must be stopped")
  place(state, server, Object.fromEntries(places.filter(([one]) => one !== at)))
  return { server: shown(state, server) }
}

/** From which state an action may be asked for, through which one it goes, and where it ends. */
const ACTIONS: Record<string, { from: string[]; through: [state: string, detail: string]; to: string }> = {
  poweron: { from: ["stopped", "stopped in place"], through: ["starting", "allocating node"], to: "running" },
  poweroff: { from: ["running", "stopped in place"], through: ["stopping", "stopping"], to: "stopped" },
  reboot: { from: ["running"], through: ["stopping", "rebooting"], to: "running" },
}

export function act(state: ScalewayState, zone: string, id: string, body: Json): Json {
  const server = state.get("servers", zone, id)
  const action = ACTIONS[String(body.action)]
  if (!action) throw invalid("action", "is not an action that is offered here")
  if (["starting", "stopping"].includes(String(server.state))) throw moving("instance_server", id, String(server.state))
  if (!action.from.includes(String(server.state)))
    throw new ScalewayRefusal(400, "invalid_request_error", `server should be ${action.from.join(" or ")}`)
  if (body.action === "poweron" && !(server.volumes as Places)["0"])
    throw unmet("server_without_volume", "Instance has no volume to boot from")
  if (body.action === "poweron" && state.shortages.has(`${zone}/${server.commercial_type}`))
    throw outOfStock(String(server.commercial_type))
  const [through, detail] = action.through
  Object.assign(server, { state: through, state_detail: detail })
  state.later(() => {
    const isOn = action.to === "running"
    Object.assign(server, { state: action.to, state_detail: isOn ? "booting kernel" : "" })
    server.allowed_actions = isOn
      ? ["poweroff", "terminate", "reboot", "stop_in_place", "backup"]
      : ["poweron", "backup"]
  })
  const task = {
    ...{ id: "00000000-0000-0000-0000-000000000000", description: "fake task", status: "pending", progress: 0 },
    ...{ href_from: `/servers/${id}/action`, href_result: `/servers/${id}`, started_at: state.now() },
    ...{ terminated_at: null, zone },
  }
  return { task }
}

/** Removes a machine that is off. Its volumes and addresses stay. */
export function removeServer(state: ScalewayState, zone: string, id: string): Json {
  const server = state.get("servers", zone, id)
  if (server.protected) throw unmet("resource_protected", "Instance is protected against deletion")
  if (server.state !== "stopped") throw unmet("server_must_be_stopped", "Instance must be stopped")
  place(state, server, {})
  for (const ip of state.all("ips", zone)) if ((ip.server as { id: string } | null)?.id === id) ip.server = null
  state.remove("servers", id)
  state.userData.delete(id)
  return {}
}
