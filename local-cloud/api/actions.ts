import { invalidInput, notFound } from "../errors.ts"
import { byResource } from "../state/keys.ts"
import type { ActionRecord as Action } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { loadImage } from "./images.ts"
import { presentAction } from "./present-action.ts"
import { type Call, load, mine, ok, page } from "./request.ts"
import type { Route } from "./routes.ts"
import { loadZone } from "./zone-of-call.ts"

type ActionOwner = "server" | "image" | "firewall" | "primary_ip" | "volume" | "zone"

const PLURALS: Record<string, ActionOwner> = {
  servers: "server",
  images: "image",
  firewalls: "firewall",
  primary_ips: "primary_ip",
  volumes: "volume",
  zones: "zone",
}

/** `GET /actions` and, per kind of resource, the lists and single actions. */
export const actionRoutes: Route[] = [
  {
    method: "GET",
    path: "/actions",
    handle: ({ store }, call) => {
      // Hetzner ended the listing of all actions; ids have to be given.
      if (call.query.getAll("id").length === 0)
        throw invalidInput([{ name: "id", messages: ["missing data for required field"] }])
      return page(call, "actions", mine(store, "action", call.project), presentAction)
    },
  },
  { method: "GET", path: "/actions/:id", handle: ({ store }, call) => one(load(store, "action", call, "action")) },
  ...Object.entries(PLURALS).flatMap(([plural, type]): Route[] => [
    {
      method: "GET",
      path: `/${plural}/actions`,
      handle: ({ store }, call) =>
        page(call, "actions", mine(store, "action", call.project).filter(about(type)), presentAction),
    },
    {
      method: "GET",
      path: `/${plural}/actions/:id`,
      handle: ({ store }, call) => one(loadOf(store, call, about(type))),
    },
    {
      method: "GET",
      path: `/${plural}/:owner/actions`,
      handle: ({ store }, call) => {
        return page(call, "actions", store.find("action", byResource(type, owner(store, call, type))), presentAction)
      },
    },
    {
      method: "GET",
      path: `/${plural}/:owner/actions/:id`,
      handle: ({ store }, call) => one(loadOf(store, call, about(type, owner(store, call, type)))),
    },
  ]),
]

const one = (action: Action) => ok(() => ({ action: presentAction(action) }))

const about = (type: string, id?: number) => (action: Action) =>
  action.resources.some(one => one.type === type && (id === undefined || one.id === id))

function loadOf(store: Store, call: Call, fits: (action: Action) => boolean): Action {
  const action = load(store, "action", call, "action")
  if (!fits(action)) throw notFound("action", action.id)
  return action
}

/** The id of the resource in the path, which must exist. */
function owner(store: Store, call: Call, type: ActionOwner): number {
  if (type === "zone") return loadZone(store, call, "owner").id
  if (type === "image") return loadImage(store, call, "owner").id
  return load(store, type, call, type.replaceAll("_", " "), "owner").id
}
