import { invalidInput } from "../errors.ts"
import { presentAction } from "./present-action.ts"
import { load, mine, ok, page } from "./request.ts"
import type { Route } from "./routes.ts"

const PLURALS: Record<string, string> = {
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
      handle: ({ store }, call) => page(call, "actions", of(mine(store, "action", call.project), type), presentAction),
    },
    {
      method: "GET",
      path: `/${plural}/actions/:id`,
      handle: ({ store }, call) => one(load(store, "action", call, "action")),
    },
    {
      method: "GET",
      path: `/${plural}/:owner/actions`,
      handle: ({ store }, call) => {
        const owner = type === "zone" ? zoneId(store.all("zone"), call.params.owner ?? "") : Number(call.params.owner)
        return page(call, "actions", of(mine(store, "action", call.project), type, owner), presentAction)
      },
    },
    {
      method: "GET",
      path: `/${plural}/:owner/actions/:id`,
      handle: ({ store }, call) => one(load(store, "action", call, "action")),
    },
  ]),
]

type Action = Parameters<typeof presentAction>[0]

const one = (action: Action) => ok(() => ({ action: presentAction(action) }))

function of(actions: Action[], type: string, id?: number): Action[] {
  return actions.filter(action =>
    action.resources.some(one => one.type === type && (id === undefined || one.id === id)),
  )
}

function zoneId(zones: { id: number; name: string }[], idOrName: string): number {
  return zones.find(zone => zone.name === idOrName || String(zone.id) === idOrName)?.id ?? -1
}
