import { randomBytes } from "node:crypto"
import { z } from "zod"
import { checkCores, requireDisk } from "../capacity.ts"
import { SERVER_TYPES, type ServerType } from "../catalog.ts"
import type { Context } from "../context.ts"
import { ApiError, invalidInput, isProtected, locked, notFound, unavailable } from "../errors.ts"
import { requireBelowLimit } from "../limits.ts"
import { NoRoomError } from "../machines/contract.ts"
import { scaledSize } from "../sizes.ts"
import { byName } from "../state/keys.ts"
import type { ImageRecord, PrimaryIpRecord, ServerRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { SYSTEM } from "../system-image.ts"
import { locationByName } from "./catalog-routes.ts"
import { currentAction } from "./present-action.ts"
import { presentServer } from "./present-server.ts"
import { allocate } from "./primary-ips.ts"
import {
  type Call,
  created,
  Labels,
  LocationName,
  load,
  mine,
  ok,
  page,
  parseBody,
  requireFreeName,
} from "./request.ts"
import type { Route } from "./routes.ts"

/** Hetzner's limit for user-data, bytes. */
const MAX_USER_DATA = 32 * 1024

const HostName = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?$/, "must be a valid host name")
const Create = z.object({
  name: HostName,
  server_type: z.coerce.string(),
  image: z.coerce.string(),
  location: LocationName.nullish(),
  datacenter: z.string().nullish(),
  ssh_keys: z.array(z.coerce.string()).default([]),
  volumes: z.array(z.int()).default([]),
  firewalls: z
    .array(z.object({ firewall: z.int() }))
    .max(5)
    .default([]),
  networks: z.array(z.int()).max(0, "networks are not offered").default([]),
  user_data: z
    .string()
    .refine(text => Buffer.byteLength(text) <= MAX_USER_DATA, `must be at most ${MAX_USER_DATA} bytes`)
    .default(""),
  labels: Labels.default({}),
  automount: z.boolean().nullish(),
  start_after_create: z.boolean().default(true),
  placement_group: z.null().optional(),
  public_net: z
    .object({
      enable_ipv4: z.boolean().default(true),
      enable_ipv6: z.boolean().default(true),
      ipv4: z.int().nullish(),
      ipv6: z.int().nullish(),
    })
    .prefault({}),
})
const Update = z.object({ name: HostName.optional(), labels: Labels.optional() })

export const serverRoutes: Route[] = [
  {
    method: "GET",
    path: "/servers",
    handle: (context, call) =>
      page(call, "servers", mine(context.store, "server", call.project), server => presentServer(context, server)),
  },
  {
    method: "GET",
    path: "/servers/:id",
    handle: (context, call) => show(context, load(context.store, "server", call, "server")),
  },
  { method: "POST", path: "/servers", prepare: requireRoom, handle: create },
  {
    method: "PUT",
    path: "/servers/:id",
    handle: (context, call) => {
      const server = load(context.store, "server", call, "server")
      const body = parseBody(Update, call.body)
      if (body.name) requireFreeName(context.store, "server", call.project, body.name, server.id)
      const changed = { ...server, name: body.name ?? server.name, labels: body.labels ?? server.labels }
      context.store.put("server", changed)
      return show(context, changed)
    },
  },
  {
    method: "DELETE",
    path: "/servers/:id",
    handle: ({ store, actions }, call) => {
      const server = load(store, "server", call, "server")
      if (server.protection.delete) throw isProtected("server")
      if (server.locked) throw locked("server")
      store.put("server", { ...server, status: "deleting", locked: true })
      const action = actions.begin({
        project: call.project,
        command: "delete_server",
        resources: [{ id: server.id, type: "server" }],
        work: { run: "delete", server: server.id, args: {} },
        fail: call.failActions,
      })
      return ok(() => ({ action: currentAction(store, action) }))
    },
  },
  {
    method: "GET",
    path: "/servers/:id/metrics",
    handle: ({ store, now }, call) => {
      load(store, "server", call, "server")
      // Machines are not sampled; the answer has the right form and no values.
      const [start, end] = [call.query.get("start") ?? now(), call.query.get("end") ?? now()]
      return ok(() => ({ metrics: { start, end, step: 60, time_series: {} } }))
    },
  },
]

/** Refuses a server this host has no room for before anything of it exists. */
async function requireRoom(context: Context, call: Call): Promise<void> {
  const { store, config, machines } = context
  const body = parseBody(Create, call.body)
  requireFreeName(store, "server", call.project, body.name)
  const type = findType(body.server_type)
  const size = scaledSize(config, type.name, type.disk)
  try {
    checkCores(context, null, size.cores)
    await machines.admit(size)
  } catch (error) {
    throw error instanceof NoRoomError ? unavailable(error.message) : error
  }
}

function create(context: Context, call: Call) {
  const { store, actions, now } = context
  const body = parseBody(Create, call.body)
  requireFreeName(store, "server", call.project, body.name)
  const type = findType(body.server_type)
  const location = body.location ?? body.datacenter?.split("-")[0] ?? firstAvailable(context, type)
  requireAvailable(context, type, location)
  const image = findImage(store, call.project, body.image, type)
  const firewalls = body.firewalls.map(
    ({ firewall }) => owned(store.get("firewall", firewall), call, "firewall", firewall).id,
  )
  const volumes = body.volumes.map(id => {
    const volume = owned(store.get("volume", id), call, "volume", id)
    if (volume.server !== null) throw new ApiError(422, "volume_already_attached", "the volume is already attached")
    if (volume.location !== location)
      throw invalidInput([{ name: "volumes", messages: [`volume ${id} is in another location`] }])
    return id
  })
  const sshKeys = body.ssh_keys.map(given => {
    const key = mine(store, "ssh_key", call.project).find(one => one.name === given || String(one.id) === given)
    if (!key) throw notFound("SSH key", given)
    return key.id
  })
  requireBelowLimit(context, call.project, "server")
  requireDisk(context, scaledSize(context.config, type.name, type.disk).diskBytes)
  const id = store.nextId()
  const address = (version: "ipv4" | "ipv6") => {
    const given = body.public_net[version]
    if (given) return freeIp(store, call, version, given, location)
    if (!body.public_net[`enable_${version}`]) return null
    const name = `primary_ip-${id}${version === "ipv6" ? "-v6" : ""}`
    return allocate(context, { project: call.project, name, type: version, location, auto_delete: true })
  }
  const [ipv4, ipv6] = [address("ipv4"), address("ipv6")]
  for (const ip of [ipv4, ipv6]) if (ip) store.put("primary_ip", { ...ip, assignee: id })
  for (const volume of volumes) {
    const record = store.get("volume", volume)
    if (record) store.put("volume", { ...record, server: id })
  }
  const server: ServerRecord = {
    id,
    project: call.project,
    created: now(),
    labels: body.labels,
    name: body.name,
    status: "initializing",
    type: type.name,
    location,
    image: image.id,
    diskGb: type.disk,
    ipv4: ipv4?.id ?? null,
    ipv6: ipv6?.id ?? null,
    firewalls,
    volumes,
    sshKeys,
    userData: body.user_data,
    protection: { delete: false, rebuild: false },
    backupWindow: null,
    dnsPtr: {},
    locked: true,
  }
  store.put("server", server)
  const resources = [{ id, type: "server" }]
  const common = { project: call.project, resources }
  const action = actions.begin({
    ...common,
    command: "create_server",
    work: { run: "create", server: id, args: {} },
    fail: call.failActions,
  })
  const next = body.start_after_create
    ? [
        actions.begin({
          ...common,
          command: "start_server",
          work: { run: "start", server: id, args: {} },
          after: action.id,
        }),
      ]
    : []
  // In the ledger before anybody is told: a machine that was made is never unknown.
  context.ledger.append({
    at: now(),
    event: "created",
    id,
    name: server.name,
    project: call.project,
    labels: server.labels,
  })
  return created(() => ({
    server: presentServer(context, store.get("server", id) ?? server),
    action: currentAction(store, action),
    next_actions: next.map(one => currentAction(store, one)),
    // Only machines without a key get a password at Hetzner, and machines of the local cloud take none.
    root_password: sshKeys.length > 0 ? null : randomBytes(12).toString("base64url"),
  }))
}

/** Where a server goes that says nothing of it. */
function firstAvailable({ soldOut }: Context, type: ServerType): string {
  return type.locations.find(name => !soldOut.has(`${type.name}@${name}`)) ?? type.locations[0] ?? ""
}

/** A server type by name or id that can be ordered. */
export function findType(given: string): ServerType {
  const type = SERVER_TYPES.find(one => one.name === given.toLowerCase() || String(one.id) === given)
  if (!type) throw notFound("server type", given)
  return type
}

/** @throws ApiError when the type is sold no more, not at this location, or sold out there */
export function requireAvailable({ soldOut }: Context, type: ServerType, location: string): void {
  if (type.unavailableAfter && type.unavailableAfter < new Date().toISOString()) {
    throw invalidInput([
      { name: "server_type", messages: [`server type ${type.name} is no longer available for order`] },
    ])
  }
  if (!locationByName(location)) {
    throw invalidInput([{ name: "location", messages: [`location '${location}' not found`] }])
  }
  if (!type.locations.includes(location)) throw unsupported(type, location)
  if (soldOut.has(`${type.name}@${location}`))
    throw unavailable(`server type ${type.name} is currently unavailable in location ${location}`)
}

const unsupported = (type: ServerType, location: string) =>
  new ApiError(422, "invalid_input", `unsupported location for server type`, {
    fields: [{ name: "server_type", messages: [`${type.name} is not offered in ${location}`] }],
  })

/** An image by id or by a system image's name, fit for the type. */
export function findImage(store: Store, project: string, given: string, type: ServerType): ImageRecord {
  const byId = store.get("image", Number(given))
  const image =
    byId && (byId.type === "system" || byId.project === project)
      ? byId
      : store
          .find("image", byName(SYSTEM, given))
          .find(one => one.type === "system" && one.architecture === type.architecture)
  if (!image) throw notFound("image", given)
  if (image.status !== "available")
    throw new ApiError(422, "invalid_input", `image ${given} is not available`, {
      fields: [{ name: "image", messages: [`is ${image.status}`] }],
    })
  if (image.architecture !== type.architecture)
    throw invalidInput([{ name: "image", messages: [`is for ${image.architecture}, not ${type.architecture}`] }])
  if (image.diskSize > type.disk)
    throw invalidInput([{ name: "image", messages: [`needs a disk of ${image.diskSize} GB`] }])
  return image
}

function freeIp(store: Store, call: Call, version: "ipv4" | "ipv6", id: number, location: string): PrimaryIpRecord {
  const ip = owned(store.get("primary_ip", id), call, "primary IP", id)
  if (ip.type !== version)
    throw new ApiError(422, "primary_ip_version_mismatch", `the primary IP is not an ${version} address`)
  if (ip.assignee !== null)
    throw new ApiError(422, "primary_ip_assigned", "the primary IP is already assigned to a server")
  if (ip.location !== location)
    throw new ApiError(422, "primary_ip_location_mismatch", "the primary IP is in another location")
  return ip
}

function owned<T extends { project: string }>(record: T | undefined, call: Call, kind: string, id: number): T {
  if (!record || record.project !== call.project) throw notFound(kind, id)
  return record
}

const show = (context: Context, server: ServerRecord) => ok(() => ({ server: presentServer(context, server) }))
