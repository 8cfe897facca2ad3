import { z } from "zod"
import { firstAddress, freeAddress } from "../addresses.ts"
import type { Context } from "../context.ts"
import { ApiError, invalidInput, isProtected, notFound, unavailable } from "../errors.ts"
import { requireBelowLimit } from "../limits.ts"
import { byAddress } from "../state/keys.ts"
import type { PrimaryIpRecord, ServerRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { locationByName } from "./catalog-routes.ts"
import { currentAction } from "./present-action.ts"
import {
  type Call,
  created,
  Labels,
  LocationName,
  load,
  mine,
  NO_CONTENT,
  ok,
  page,
  parseBody,
  requireFreeName,
} from "./request.ts"
import type { Route } from "./routes.ts"

const Create = z.object({
  name: z.string().min(1),
  type: z.enum(["ipv4", "ipv6"]),
  assignee_type: z.literal("server"),
  assignee_id: z.int().nullish(),
  auto_delete: z.boolean().default(false),
  location: LocationName.nullish(),
  // Gone from the description with the datacenters; older clients still send it, and Hetzner ignores what it does not know.
  datacenter: z.string().nullish(),
  labels: Labels.default({}),
})
const Update = z.object({
  name: z.string().min(1).optional(),
  labels: Labels.optional(),
  auto_delete: z.boolean().optional(),
})
const DnsPtr = z.object({ ip: z.string(), dns_ptr: z.string().nullable() })

export const primaryIpRoutes: Route[] = [
  {
    method: "GET",
    path: "/primary_ips",
    handle: ({ store }, call) => {
      const ip = call.query.get("ip")
      return page(
        call,
        "primary_ips",
        mine(store, "primary_ip", call.project).filter(one => ip === null || one.ip === ip),
        present,
      )
    },
  },
  {
    method: "POST",
    path: "/primary_ips",
    handle: (context, call) => {
      const { store, actions } = context
      const body = parseBody(Create, call.body)
      requireFreeName(store, "primary_ip", call.project, body.name)
      const server = body.assignee_id ? assignable(store, call, body.type, body.assignee_id) : null
      const location = server?.location ?? body.location ?? body.datacenter?.split("-")[0]
      if (!location || !locationByName(location))
        throw invalidInput([{ name: "location", messages: ["must be a location, or an assignee must be given"] }])
      const ip = allocate(context, { ...body, location, project: call.project, auto_delete: body.auto_delete })
      if (!server) return created(() => ({ primary_ip: present(ip) }))
      assign(store, ip, server)
      const action = actions.begin({
        project: call.project,
        command: "assign_primary_ip",
        resources: [
          { id: ip.id, type: "primary_ip" },
          { id: server.id, type: "server" },
        ],
        fail: call.failActions,
      })
      return created(() => ({
        primary_ip: present(store.get("primary_ip", ip.id) ?? ip),
        action: currentAction(store, action),
      }))
    },
  },
  {
    method: "GET",
    path: "/primary_ips/:id",
    handle: ({ store }, call) => one(load(store, "primary_ip", call, "primary IP")),
  },
  {
    method: "PUT",
    path: "/primary_ips/:id",
    handle: ({ store }, call) => {
      const ip = load(store, "primary_ip", call, "primary IP")
      const body = parseBody(Update, call.body)
      if (body.name) requireFreeName(store, "primary_ip", call.project, body.name, ip.id)
      const changed = {
        ...ip,
        name: body.name ?? ip.name,
        labels: body.labels ?? ip.labels,
        autoDelete: body.auto_delete ?? ip.autoDelete,
      }
      store.put("primary_ip", changed)
      return one(changed)
    },
  },
  {
    method: "DELETE",
    path: "/primary_ips/:id",
    handle: ({ store }, call) => {
      const ip = load(store, "primary_ip", call, "primary IP")
      if (ip.protection.delete) throw isProtected("primary IP")
      if (ip.assignee !== null) throw new ApiError(422, "must_be_unassigned", "the primary IP is still assigned")
      store.remove("primary_ip", ip.id)
      return NO_CONTENT
    },
  },
  action("assign", "assign_primary_ip", ({ store }, call, ip) => {
    const body = parseBody(z.object({ assignee_id: z.int(), assignee_type: z.literal("server") }), call.body)
    if (ip.assignee !== null)
      throw new ApiError(422, "primary_ip_already_assigned", "the primary IP is already assigned")
    const server = assignable(store, call, ip.type, body.assignee_id)
    assign(store, ip, server)
    return [{ id: server.id, type: "server" }]
  }),
  action("unassign", "unassign_primary_ip", ({ store }, _call, ip) => {
    if (ip.assignee === null) throw new ApiError(422, "primary_ip_already_unassigned", "the primary IP is not assigned")
    const server = store.get("server", ip.assignee)
    if (server && server.status !== "off") throw new ApiError(422, "server_not_stopped", "the server must be off")
    if (server) store.put("server", { ...server, [ip.type]: null })
    store.put("primary_ip", { ...ip, assignee: null })
    return server ? [{ id: server.id, type: "server" }] : []
  }),
  action("change_protection", "change_protection", ({ store }, call, ip) => {
    const body = parseBody(z.object({ delete: z.boolean().optional() }), call.body)
    store.put("primary_ip", { ...ip, protection: { delete: body.delete ?? ip.protection.delete } })
    return []
  }),
  action("change_dns_ptr", "change_dns_ptr", ({ store }, call, ip) => {
    const body = parseBody(DnsPtr, call.body)
    const { [body.ip]: _, ...others } = ip.dnsPtr
    store.put("primary_ip", { ...ip, dnsPtr: body.dns_ptr === null ? others : { ...others, [body.ip]: body.dns_ptr } })
    return []
  }),
]

function action(
  name: string,
  command: string,
  change: (context: Context, call: Call, ip: PrimaryIpRecord) => { id: number; type: string }[],
): Route {
  return {
    method: "POST",
    path: `/primary_ips/:id/actions/${name}`,
    handle: (context, call) => {
      const ip = load(context.store, "primary_ip", call, "primary IP")
      const others = change(context, call, ip)
      const begun = context.actions.begin({
        project: call.project,
        command,
        resources: [{ id: ip.id, type: "primary_ip" }, ...others],
        fail: call.failActions,
      })
      return created(() => ({ action: currentAction(context.store, begun) }))
    },
  }
}

/** Makes a primary IP with an address nobody has. */
export function allocate(
  { store, now, config, limits }: Pick<Context, "store" | "now" | "config" | "limits">,
  wanted: {
    project: string
    name: string
    type: "ipv4" | "ipv6"
    location: string
    auto_delete: boolean
    labels?: Record<string, string>
  },
): PrimaryIpRecord {
  requireBelowLimit({ store, limits }, wanted.project, "primary_ip")
  const id = store.nextId()
  const from = firstAddress(config.directory) + id
  const ip = freeAddress(wanted.type, from, one => store.find("primary_ip", byAddress(one)).length > 0, config.network)
  if (ip === null) throw unavailable("no address is free")
  const record: PrimaryIpRecord = {
    id,
    project: wanted.project,
    created: now(),
    labels: wanted.labels ?? {},
    name: wanted.name,
    type: wanted.type,
    ip,
    location: wanted.location,
    assignee: null,
    autoDelete: wanted.auto_delete,
    protection: { delete: false },
    dnsPtr: {},
  }
  store.put("primary_ip", record)
  return record
}

function assignable(store: Store, call: Call, type: "ipv4" | "ipv6", id: number): ServerRecord {
  const server = store.get("server", id)
  if (!server || server.project !== call.project) throw notFound("server", id)
  if (server[type] !== null) throw new ApiError(422, `server_has_${type}`, `the server already has an ${type} address`)
  // As at Hetzner: an address is plugged in while the power is off.
  if (server.status !== "off") throw new ApiError(422, "server_not_stopped", "the server must be off")
  return server
}

function assign(store: Store, ip: PrimaryIpRecord, server: ServerRecord): void {
  store.put("primary_ip", { ...ip, assignee: server.id })
  store.put("server", { ...server, [ip.type]: ip.id })
}

const one = (ip: PrimaryIpRecord) => ok(() => ({ primary_ip: present(ip) }))

function present(ip: PrimaryIpRecord) {
  const pointers = Object.entries(ip.dnsPtr).map(([address, name]) => ({ ip: address, dns_ptr: name }))
  const standard =
    ip.type === "ipv4" ? [{ ip: ip.ip, dns_ptr: `static.${ip.ip.split(".").reverse().join(".")}.local.example` }] : []
  return {
    id: ip.id,
    name: ip.name,
    type: ip.type,
    ip: ip.ip,
    location: locationByName(ip.location),
    assignee_id: ip.assignee,
    assignee_type: "server",
    auto_delete: ip.autoDelete,
    blocked: false,
    created: ip.created,
    dns_ptr: pointers.length > 0 ? pointers : standard,
    labels: ip.labels,
    protection: ip.protection,
  }
}
