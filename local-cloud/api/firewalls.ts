import { isIP } from "node:net"
import { z } from "zod"
import type { Context } from "../context.ts"
import { ApiError, inUse, invalidInput } from "../errors.ts"
import { parseSelector } from "../labels.ts"
import { requireBelowLimit } from "../limits.ts"
import { byFirewall, WITH_SELECTOR } from "../state/keys.ts"
import type { ActionRecord, FirewallRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { currentAction } from "./present-action.ts"
import { type Call, created, Labels, load, mine, NO_CONTENT, ok, page, parseBody, requireFreeName } from "./request.ts"
import type { Route } from "./routes.ts"

const Cidr = z.string().refine(text => {
  const [address = "", prefix = ""] = text.split("/")
  return isIP(address) > 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(address) === 4 ? 32 : 128)
}, "must be a CIDR such as 0.0.0.0/0")
const Port = z.string().refine(text => {
  const [first = 0, last = first] = text.split("-").map(Number)
  return text === "any" || (/^\d{1,5}(-\d{1,5})?$/.test(text) && first >= 1 && first <= last && last <= 65_535)
}, "must be a port from 1 to 65535, a range or `any`")
const Rule = z
  .object({
    direction: z.enum(["in", "out"]),
    protocol: z.enum(["tcp", "udp", "icmp", "esp", "gre"]),
    port: Port.nullish().transform(port => port ?? null),
    source_ips: z.array(Cidr).max(100).default([]),
    destination_ips: z.array(Cidr).max(100).default([]),
    description: z
      .string()
      .max(255)
      .nullish()
      .transform(text => text ?? null),
  })
  .refine(
    rule => (rule.protocol === "tcp" || rule.protocol === "udp") === (rule.port !== null),
    "a port is needed for tcp and udp, and only there",
  )
  .refine(
    rule => (rule.direction === "in" ? rule.source_ips : rule.destination_ips).length > 0,
    "an inbound rule needs source_ips, an outbound one destination_ips",
  )
const Resources = z.array(
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("server"), server: z.object({ id: z.int() }) }),
    z.object({ type: z.literal("label_selector"), label_selector: z.object({ selector: z.string() }) }),
  ]),
)
const Create = z.object({
  name: z.string().min(1),
  labels: Labels.default({}),
  rules: z.array(Rule).max(50).default([]),
  apply_to: Resources.default([]),
})
const Update = z.object({ name: z.string().min(1).optional(), labels: Labels.optional() })

export const firewallRoutes: Route[] = [
  {
    method: "GET",
    path: "/firewalls",
    handle: ({ store }, call) =>
      page(call, "firewalls", mine(store, "firewall", call.project), one => present(store, one)),
  },
  {
    method: "POST",
    path: "/firewalls",
    handle: (context, call) => {
      const { store, now } = context
      const body = parseBody(Create, call.body)
      requireFreeName(store, "firewall", call.project, body.name)
      requireBelowLimit(context, call.project, "firewall")
      const firewall: FirewallRecord = {
        id: store.nextId(),
        project: call.project,
        created: now(),
        labels: body.labels,
        name: body.name,
        rules: body.rules,
        selectors: [],
      }
      store.put("firewall", firewall)
      const actions = [
        act(context, call, firewall, "set_firewall_rules", []),
        ...(body.apply_to.length > 0 ? [apply(context, call, firewall, body.apply_to, 422)] : []),
      ]
      return created(() => ({
        firewall: present(store, store.get("firewall", firewall.id) ?? firewall),
        actions: actions.map(action => currentAction(store, action)),
      }))
    },
  },
  {
    method: "GET",
    path: "/firewalls/:id",
    handle: ({ store }, call) => show(store, load(store, "firewall", call, "firewall")),
  },
  {
    method: "PUT",
    path: "/firewalls/:id",
    handle: ({ store }, call) => {
      const firewall = load(store, "firewall", call, "firewall")
      const body = parseBody(Update, call.body)
      if (body.name) requireFreeName(store, "firewall", call.project, body.name, firewall.id)
      const changed = { ...firewall, name: body.name ?? firewall.name, labels: body.labels ?? firewall.labels }
      store.put("firewall", changed)
      return show(store, changed)
    },
  },
  {
    method: "DELETE",
    path: "/firewalls/:id",
    handle: ({ store }, call) => {
      const firewall = load(store, "firewall", call, "firewall")
      if (store.find("server", byFirewall(firewall.id)).length > 0 || firewall.selectors.length > 0)
        throw inUse("firewall")
      store.remove("firewall", firewall.id)
      return NO_CONTENT
    },
  },
  {
    method: "POST",
    path: "/firewalls/:id/actions/set_rules",
    handle: (context, call) => {
      const { store } = context
      const firewall = load(store, "firewall", call, "firewall")
      const { rules } = parseBody(z.object({ rules: z.array(Rule).max(50) }), call.body)
      store.put("firewall", { ...firewall, rules })
      const actions = [act(context, call, firewall, "set_firewall_rules", serversOf(store, firewall))]
      return created(() => ({ actions: actions.map(action => currentAction(store, action)) }))
    },
  },
  {
    method: "POST",
    path: "/firewalls/:id/actions/apply_to_resources",
    handle: (context, call) => {
      const firewall = load(context.store, "firewall", call, "firewall")
      const body = parseBody(z.object({ apply_to: Resources.min(1) }), call.body)
      const action = apply(context, call, firewall, body.apply_to, 404)
      return created(() => ({ actions: [currentAction(context.store, action)] }))
    },
  },
  {
    method: "POST",
    path: "/firewalls/:id/actions/remove_from_resources",
    handle: (context, call) => {
      const { store } = context
      const firewall = load(store, "firewall", call, "firewall")
      const body = parseBody(z.object({ remove_from: Resources.min(1) }), call.body)
      const touched = serversIn(context, call, body.remove_from, 404)
      for (const resource of body.remove_from) {
        if (resource.type === "server") {
          const server = store.get("server", resource.server.id)
          if (!server?.firewalls.includes(firewall.id))
            throw new ApiError(422, "firewall_resource_not_found", "the firewall is not applied to this resource")
          store.put("server", { ...server, firewalls: server.firewalls.filter(id => id !== firewall.id) })
        }
      }
      const gone = new Set(
        body.remove_from.flatMap(one => (one.type === "label_selector" ? [one.label_selector.selector] : [])),
      )
      const known = store.get("firewall", firewall.id) ?? firewall
      store.put("firewall", { ...known, selectors: known.selectors.filter(one => !gone.has(one)) })
      const action = act(context, call, firewall, "remove_firewall", touched)
      return created(() => ({ actions: [currentAction(store, action)] }))
    },
  },
]

/** Ids of the firewalls that rule a server: applied to itself, or by a label selector. */
export function firewallsOf(
  store: Store,
  server: { id: number; project: string; labels: Record<string, string>; firewalls: number[] },
): number[] {
  const selected = store
    .find("firewall", WITH_SELECTOR)
    .filter(one => one.project === server.project && one.selectors.some(text => parseSelector(text)(server.labels)))
    .map(one => one.id)
  return [...new Set([...server.firewalls, ...selected])]
}

function serversOf(store: Store, firewall: FirewallRecord): number[] {
  const selectors = firewall.selectors.map(parseSelector)
  const selected = selectors.length > 0 ? mine(store, "server", firewall.project) : []
  const ids = [
    ...store.find("server", byFirewall(firewall.id)),
    ...selected.filter(server => selectors.some(matches => matches(server.labels))),
  ].map(server => server.id)
  return [...new Set(ids)]
}

type Resource = z.output<typeof Resources>[number]

/** @param status of the answer when one is not there: making a firewall says 422, applying it 404 */
function serversIn({ store }: Context, call: Call, resources: Resource[], status: 404 | 422): number[] {
  return resources.flatMap(resource => {
    if (resource.type === "server") {
      const server = store.get("server", resource.server.id)
      if (server?.project !== call.project)
        throw new ApiError(status, "firewall_resource_not_found", `server ${resource.server.id} not found`)
      return [server.id]
    }
    const matches = parseSelector(resource.label_selector.selector)
    return mine(store, "server", call.project)
      .filter(server => matches(server.labels))
      .map(server => server.id)
  })
}

function apply(
  context: Context,
  call: Call,
  firewall: FirewallRecord,
  resources: Resource[],
  status: 404 | 422,
): ActionRecord {
  const { store } = context
  const touched = serversIn(context, call, resources, status)
  for (const resource of resources) {
    const known = store.get("firewall", firewall.id) ?? firewall
    if (resource.type === "label_selector") {
      store.put("firewall", {
        ...known,
        selectors: [...new Set([...known.selectors, resource.label_selector.selector])],
      })
      continue
    }
    const server = store.get("server", resource.server.id)
    if (!server) continue
    if (server.firewalls.includes(firewall.id))
      throw new ApiError(422, "firewall_already_applied", "the firewall is already applied to this resource")
    if (server.firewalls.length >= 5)
      throw invalidInput([{ name: "apply_to", messages: ["a server takes at most 5 firewalls"] }])
    store.put("server", { ...server, firewalls: [...server.firewalls, firewall.id] })
  }
  return act(context, call, firewall, "apply_firewall", touched)
}

/** The action of a change; its work gives the touched servers their new ports before it ends. */
function act(
  { actions }: Context,
  call: Call,
  firewall: FirewallRecord,
  command: string,
  servers: number[],
): ActionRecord {
  return actions.begin({
    project: call.project,
    command,
    resources: [{ id: firewall.id, type: "firewall" }, ...servers.map(id => ({ id, type: "server" }))],
    work: { run: "updateMachines", server: 0, args: { servers } },
    fail: call.failActions,
  })
}

const show = (store: Store, firewall: FirewallRecord) => ok(() => ({ firewall: present(store, firewall) }))

function present(store: Store, firewall: FirewallRecord) {
  const servers = store.find("server", byFirewall(firewall.id))
  return {
    id: firewall.id,
    name: firewall.name,
    labels: firewall.labels,
    created: firewall.created,
    rules: firewall.rules,
    applied_to: [
      ...servers.map(server => ({ type: "server", server: { id: server.id } })),
      ...firewall.selectors.map(selector => ({
        type: "label_selector",
        label_selector: { selector },
        applied_to_resources: mine(store, "server", firewall.project)
          .filter(server => parseSelector(selector)(server.labels))
          .map(server => ({ type: "server", server: { id: server.id } })),
      })),
    ],
  }
}
