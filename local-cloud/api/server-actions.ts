import { randomBytes } from "node:crypto"
import { z } from "zod"
import { requireDisk } from "../capacity.ts"
import { SERVER_TYPES } from "../catalog.ts"
import type { Context } from "../context.ts"
import { ApiError, invalidInput, locked, unsupported } from "../errors.ts"
import { requireBelowLimit } from "../limits.ts"
import { scaledDisk } from "../sizes.ts"
import { byServer } from "../state/keys.ts"
import type { ActionRecord, ImageRecord, ServerRecord, ServerStatus, Work } from "../state/records.ts"
import { presentImage } from "./images.ts"
import { currentAction } from "./present-action.ts"
import { type Call, created, Labels, load, parseBody } from "./request.ts"
import type { Route } from "./routes.ts"
import { findImage, findType, requireAvailable } from "./servers.ts"

interface Plan {
  command: string
  /** What to do; null for a change of records alone. */
  run: string | null
  args?: Record<string, unknown>
  /** Status shown while it goes on. */
  status?: ServerStatus
  /** More of the answer. */
  answer?: () => object
  /** Resources of the action besides the server. */
  resources?: { id: number; type: string }[]
}

export const serverActionRoutes: Route[] = [
  action("poweron", () => ({ command: "start_server", run: "start", status: "starting" })),
  action("poweroff", () => ({ command: "stop_server", run: "powerOff", status: "stopping" })),
  action("shutdown", (_context, _call, server) => {
    if (server.status === "off") throw new ApiError(422, "server_not_running", "the server is not running")
    // The power button is pressed and that is all: whether the guest goes off is seen in the server's status.
    return { command: "shutdown_server", run: "pressPowerButton" }
  }),
  action("reboot", (_context, _call, server) => {
    if (server.status === "off") throw new ApiError(422, "server_not_running", "the server is not running")
    return { command: "reboot_server", run: "reboot" }
  }),
  action("reset", () => ({ command: "reset_server", run: "reset" })),
  action("rebuild", ({ store }, call, server) => {
    if (server.protection.rebuild) throw new ApiError(423, "protected", "server is rebuild protected")
    const body = parseBody(z.object({ image: z.coerce.string(), user_data: z.string().optional() }), call.body)
    const image = findImage(store, call.project, body.image, findType(server.type))
    return {
      command: "rebuild_server",
      run: "rebuild",
      args: { image: image.id, ...(body.user_data === undefined ? {} : { userData: body.user_data }) },
      status: "rebuilding",
      answer: () => ({ root_password: server.sshKeys.length > 0 ? null : randomBytes(12).toString("base64url") }),
    }
  }),
  action("change_type", (context, call, server) => {
    const body = parseBody(z.object({ server_type: z.coerce.string(), upgrade_disk: z.boolean() }), call.body)
    const type = findType(body.server_type)
    const current = SERVER_TYPES.find(one => one.name === server.type)
    if (server.status !== "off") throw new ApiError(422, "server_not_stopped", "the server must be off")
    if (type.name === server.type)
      throw invalidInput([{ name: "server_type", messages: ["is the server's type already"] }])
    if (type.architecture !== current?.architecture)
      throw invalidInput([{ name: "server_type", messages: ["has another architecture"] }])
    if (type.disk < server.diskGb)
      throw new ApiError(422, "invalid_server_type", "the disk of the new type is smaller than the server's")
    requireAvailable(context, type, server.location)
    const bytes = (gb: number) => scaledDisk(context.config.scale, gb)
    if (body.upgrade_disk) requireDisk(context, bytes(type.disk) - bytes(server.diskGb))
    return {
      command: "change_server_type",
      run: "changeType",
      args: { type: type.name, upgradeDisk: body.upgrade_disk },
    }
  }),
  action("create_image", (context, call, server) => {
    const { store, now } = context
    const body = parseBody(
      z.object({
        type: z.enum(["snapshot", "backup"]).default("snapshot"),
        description: z.string().nullish(),
        labels: Labels.nullish(),
      }),
      call.body,
    )
    if (body.type === "backup" && server.backupWindow === null)
      throw unsupported("backups are not enabled for this server")
    const source = server.image === null ? undefined : store.get("image", server.image)
    requireBelowLimit(context, call.project, "image")
    requireDisk(context, scaledDisk(context.config.scale, server.diskGb))
    const image: ImageRecord = {
      id: store.nextId(),
      project: call.project,
      created: now(),
      labels: body.labels ?? {},
      type: body.type,
      status: "creating",
      name: null,
      description: body.description ?? `${body.type} of ${server.name}`,
      imageSize: null,
      diskSize: server.diskGb,
      createdFrom: { id: server.id, name: server.name },
      boundTo: body.type === "backup" ? server.id : null,
      architecture: findType(server.type).architecture,
      osFlavor: source?.osFlavor ?? "unknown",
      osVersion: source?.osVersion ?? null,
      protection: { delete: false },
    }
    store.put("image", image)
    return {
      command: "create_image",
      run: "createImage",
      args: { image: image.id },
      resources: [{ id: image.id, type: "image" }],
      answer: () => ({ image: presentImage(store.get("image", image.id) ?? image) }),
    }
  }),
  action("enable_backup", ({ store }, _call, server) => {
    store.put("server", { ...server, backupWindow: "22-02" })
    return { command: "enable_backup", run: null }
  }),
  action("disable_backup", ({ store }, _call, server) => {
    store.put("server", { ...server, backupWindow: null })
    // Backups live no longer than the option; snapshots do.
    const images = store.find("image", byServer(server.id)).map(image => image.id)
    for (const id of images) store.remove("image", id)
    return { command: "disable_backup", run: "removeImages", args: { images } }
  }),
  action("change_protection", ({ store }, call, server) => {
    const body = parseBody(z.object({ delete: z.boolean().optional(), rebuild: z.boolean().optional() }), call.body)
    const protection = {
      delete: body.delete ?? server.protection.delete,
      rebuild: body.rebuild ?? server.protection.rebuild,
    }
    if (protection.delete !== protection.rebuild)
      throw invalidInput([{ name: "rebuild", messages: ["must be equal to delete"] }])
    store.put("server", { ...server, protection })
    return { command: "change_protection", run: null }
  }),
  action("change_dns_ptr", ({ store }, call, server) => {
    const body = parseBody(z.object({ ip: z.string(), dns_ptr: z.string().nullable() }), call.body)
    const { [body.ip]: _, ...others } = server.dnsPtr
    store.put("server", { ...server, dnsPtr: body.dns_ptr === null ? others : { ...others, [body.ip]: body.dns_ptr } })
    return { command: "change_dns_ptr", run: null }
  }),
  ...[
    "enable_rescue",
    "disable_rescue",
    "attach_iso",
    "detach_iso",
    "reset_password",
    "request_console",
    "attach_to_network",
    "detach_from_network",
    "change_alias_ips",
    "add_to_placement_group",
    "remove_from_placement_group",
  ].map(name =>
    action(name, () => {
      throw unsupported(`${name} is not offered`)
    }),
  ),
]

function action(name: string, plan: (context: Context, call: Call, server: ServerRecord) => Plan): Route {
  return {
    method: "POST",
    path: `/servers/:id/actions/${name}`,
    handle: (context, call) => {
      const { store, actions } = context
      const server = load(store, "server", call, "server")
      // Only changes of records may go on beside a running action.
      if (server.locked) throw locked("server")
      const planned = plan(context, call, server)
      const work: Work | null =
        planned.run === null ? null : { run: planned.run, server: server.id, args: planned.args ?? {} }
      if (work) {
        const current = store.get("server", server.id) ?? server
        store.put("server", { ...current, locked: true, status: planned.status ?? current.status })
      }
      const begun: ActionRecord = actions.begin({
        project: call.project,
        command: planned.command,
        resources: [{ id: server.id, type: "server" }, ...(planned.resources ?? [])],
        ...(work ? { work } : {}),
        fail: call.failActions,
      })
      return created(() => ({ action: currentAction(store, begun), ...planned.answer?.() }))
    },
  }
}
