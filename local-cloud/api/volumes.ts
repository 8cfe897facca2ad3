import { z } from "zod"
import { requireDisk } from "../capacity.ts"
import type { Context } from "../context.ts"
import { ApiError, inUse, invalidInput, isProtected, locked, notFound } from "../errors.ts"
import { requireBelowLimit } from "../limits.ts"
import { scaledVolume } from "../sizes.ts"
import type { ActionRecord, VolumeRecord, Work } from "../state/records.ts"
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
  size: z.int().min(10).max(10_240),
  location: LocationName.optional(),
  server: z.int().optional(),
  format: z.enum(["xfs", "ext4"]).nullish(),
  automount: z.boolean().optional(),
  labels: Labels.default({}),
})

export const volumeRoutes: Route[] = [
  {
    method: "GET",
    path: "/volumes",
    handle: ({ store }, call) => page(call, "volumes", mine(store, "volume", call.project), present),
  },
  {
    method: "POST",
    path: "/volumes",
    handle: (context, call) => {
      const { store, actions, now } = context
      const body = parseBody(Create, call.body)
      requireFreeName(store, "volume", call.project, body.name)
      const server = body.server === undefined ? null : store.get("server", body.server)
      if (server === undefined || (server && server.project !== call.project))
        throw notFound("server", body.server ?? 0)
      const location = server?.location ?? body.location
      if (!location || !locationByName(location))
        throw invalidInput([{ name: "location", messages: ["must be a location, or a server must be given"] }])
      requireBelowLimit(context, call.project, "volume")
      requireDisk(context, scaledVolume(context.config, { id: 0, size: body.size }).bytes)
      const volume: VolumeRecord = {
        id: store.nextId(),
        project: call.project,
        created: now(),
        labels: body.labels,
        name: body.name,
        size: body.size,
        location,
        server: server?.id ?? null,
        format: body.format ?? null,
        protection: { delete: false },
      }
      store.put("volume", volume)
      const resources = [{ id: volume.id, type: "volume" }]
      const { project, failActions: fail } = call
      const made = { run: "makeVolume", server: 0, args: { volume: volume.id } }
      const action = actions.begin({ project, command: "create_volume", resources, work: made, fail })
      const next: ActionRecord[] = []
      if (server) {
        store.put("server", { ...server, volumes: [...server.volumes, volume.id] })
        const both = [...resources, { id: server.id, type: "server" }]
        const command = "attach_volume"
        next.push(actions.begin({ project, command, resources: both, work: applied([server.id]), after: action.id }))
      }
      return created(() => ({
        volume: present(volume),
        action: currentAction(store, action),
        next_actions: next.map(one => currentAction(store, one)),
      }))
    },
  },
  { method: "GET", path: "/volumes/:id", handle: ({ store }, call) => one(load(store, "volume", call, "volume")) },
  {
    method: "PUT",
    path: "/volumes/:id",
    handle: ({ store }, call) => {
      const volume = load(store, "volume", call, "volume")
      const body = parseBody(z.object({ name: z.string().min(1).optional(), labels: Labels.optional() }), call.body)
      if (body.name) requireFreeName(store, "volume", call.project, body.name, volume.id)
      const changed = { ...volume, name: body.name ?? volume.name, labels: body.labels ?? volume.labels }
      store.put("volume", changed)
      return one(changed)
    },
  },
  {
    method: "DELETE",
    path: "/volumes/:id",
    handle: ({ store, actions }, call) => {
      const volume = load(store, "volume", call, "volume")
      if (volume.protection.delete) throw isProtected("volume")
      if (volume.server !== null) throw inUse("volume")
      store.remove("volume", volume.id)
      const work = { run: "removeVolume", server: 0, args: { volume: volume.id } }
      actions.begin({ project: call.project, command: "delete_volume", resources: [], work })
      return NO_CONTENT
    },
  },
  action("attach", "attach_volume", ({ store }, call, volume) => {
    const body = parseBody(z.object({ server: z.int(), automount: z.boolean().optional() }), call.body)
    const server = store.get("server", body.server)
    if (!server || server.project !== call.project) throw notFound("server", body.server)
    if (server.locked) throw locked("server")
    if (volume.server !== null) throw new ApiError(422, "volume_already_attached", "the volume is already attached")
    if (server.location !== volume.location)
      throw invalidInput([{ name: "server", messages: ["is in another location"] }])
    store.put("volume", { ...volume, server: server.id })
    store.put("server", { ...server, volumes: [...server.volumes, volume.id] })
    return applied([server.id])
  }),
  action("detach", "detach_volume", ({ store }, _call, volume) => {
    const server = volume.server === null ? undefined : store.get("server", volume.server)
    if (server) store.put("server", { ...server, volumes: server.volumes.filter(id => id !== volume.id) })
    store.put("volume", { ...volume, server: null })
    return applied(server ? [server.id] : [])
  }),
  action("resize", "resize_volume", ({ store, config }, call, volume) => {
    const { size } = parseBody(z.object({ size: z.int().max(10_240) }), call.body)
    if (size <= volume.size) throw invalidInput([{ name: "size", messages: ["a volume can only grow"] }])
    const bytes = (size: number) => scaledVolume(config, { ...volume, size }).bytes
    requireDisk({ store, config }, bytes(size) - bytes(volume.size))
    store.put("volume", { ...volume, size })
    return { run: "makeVolume", server: 0, args: { volume: volume.id } }
  }),
  action("change_protection", "change_protection", ({ store }, call, volume) => {
    const body = parseBody(z.object({ delete: z.boolean().optional() }), call.body)
    store.put("volume", { ...volume, protection: { delete: body.delete ?? volume.protection.delete } })
    return null
  }),
]

function action(
  name: string,
  command: string,
  change: (context: Context, call: Call, volume: VolumeRecord) => Work | null,
): Route {
  return {
    method: "POST",
    path: `/volumes/:id/actions/${name}`,
    handle: (context, call) => {
      const volume = load(context.store, "volume", call, "volume")
      const work = change(context, call, volume)
      const begun = context.actions.begin({
        project: call.project,
        command,
        resources: [{ id: volume.id, type: "volume" }],
        ...(work ? { work } : {}),
        fail: call.failActions,
      })
      return created(() => ({ action: currentAction(context.store, begun) }))
    },
  }
}

/** Machines that run have the volumes that the records say. */
const applied = (servers: number[]): Work => ({ run: "updateMachines", server: 0, args: { servers } })

const one = (volume: VolumeRecord) => ok(() => ({ volume: present(volume) }))

function present(volume: VolumeRecord) {
  return {
    id: volume.id,
    name: volume.name,
    size: volume.size,
    location: locationByName(volume.location),
    server: volume.server,
    linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`,
    status: "available",
    format: volume.format,
    protection: volume.protection,
    labels: volume.labels,
    created: volume.created,
  }
}
