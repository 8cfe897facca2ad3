import { z } from "zod"
import { inUse, isProtected, unsupported } from "../errors.ts"
import { hasMemory } from "../memory-label.ts"
import type { ImageRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { currentAction } from "./present-action.ts"
import { type Call, created, Labels, load, mine, NO_CONTENT, ok, page, parseBody } from "./request.ts"
import type { Route } from "./routes.ts"

const Update = z.object({
  description: z.string().optional(),
  type: z.literal("snapshot", "only a backup can be made a snapshot").optional(),
  labels: Labels.optional(),
})
const Protection = z.object({ delete: z.boolean().optional() })

/** An image as the API shows it. */
export function presentImage(image: ImageRecord) {
  return {
    id: image.id,
    type: image.type,
    status: image.status,
    name: image.name,
    description: image.description,
    image_size: image.imageSize,
    disk_size: image.diskSize,
    created: image.created,
    created_from: image.createdFrom,
    bound_to: image.boundTo,
    os_flavor: image.osFlavor,
    os_version: image.osVersion,
    rapid_deploy: image.type === "system",
    protection: image.protection,
    deprecated: null,
    deleted: null,
    labels: image.labels,
    architecture: image.architecture,
  }
}

export const imageRoutes: Route[] = [
  {
    method: "GET",
    path: "/images",
    handle: ({ store }, call) => {
      const has = (name: string, value: string) => {
        const wanted = call.query.getAll(name)
        return wanted.length === 0 || wanted.includes(value)
      }
      const images = [...mine(store, "image", call.project), ...systemImages(store.all("image"), call.project)].filter(
        image =>
          has("type", image.type) &&
          has("architecture", image.architecture) &&
          (call.query.getAll("bound_to").length === 0 ||
            (image.boundTo !== null && has("bound_to", String(image.boundTo)))),
      )
      return page(call, "images", images, presentImage)
    },
  },
  { method: "GET", path: "/images/:id", handle: ({ store }, call) => one(loadImage(store, call)) },
  {
    method: "PUT",
    path: "/images/:id",
    handle: ({ store, machines, log }, call) => {
      const image = load(store, "image", call, "image")
      const body = parseBody(Update, call.body)
      if (body.type && image.type !== "backup") throw unsupported("only a backup can be converted to a snapshot")
      const changed: ImageRecord = {
        ...image,
        description: body.description ?? image.description,
        labels: body.labels ?? image.labels,
        ...(body.type ? { type: body.type, boundTo: null } : {}),
      }
      store.put("image", changed)
      if (hasMemory(image) && !hasMemory(changed)) {
        machines
          .dropMemory(image.id)
          .catch(error => log.warn({ image: image.id, err: error }, "the memory in an image was not removed"))
      }
      return one(changed)
    },
  },
  {
    method: "DELETE",
    path: "/images/:id",
    handle: ({ store, machines, log }, call) => {
      const image = load(store, "image", call, "image")
      if (image.type === "system") throw unsupported("a system image cannot be deleted")
      if (image.protection.delete) throw isProtected("image")
      if (image.status === "creating") throw inUse("image")
      store.remove("image", image.id)
      machines
        .removeImage(image.id)
        .catch(error => log.warn({ image: image.id, err: error }, "image files not removed"))
      return NO_CONTENT
    },
  },
  {
    method: "POST",
    path: "/images/:id/actions/change_protection",
    handle: ({ store, actions }, call) => {
      const image = load(store, "image", call, "image")
      const body = parseBody(Protection, call.body)
      store.put("image", { ...image, protection: { delete: body.delete ?? image.protection.delete } })
      const action = actions.begin({
        project: call.project,
        command: "change_protection",
        resources: [{ id: image.id, type: "image" }],
        fail: call.failActions,
      })
      return created(() => ({ action: currentAction(store, action) }))
    },
  },
]

const one = (image: ImageRecord) => ok(() => ({ image: presentImage(image) }))

/** System images belong to everybody. */
function systemImages(images: ImageRecord[], project: string): ImageRecord[] {
  return images.filter(image => image.type === "system" && image.project !== project)
}

/** An image the caller may use: their own or a system image. */
export function loadImage(store: Store, call: Call, param = "id"): ImageRecord {
  const image = store.get("image", Number(call.params[param]))
  return image?.type === "system" ? image : load(store, "image", call, "image", param)
}
