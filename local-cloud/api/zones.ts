import { z } from "zod"
import { ApiError, isProtected, notUnique, unsupported } from "../errors.ts"
import { byDomain, byZone } from "../state/keys.ts"
import type { RrsetRecord, ZoneRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { currentAction } from "./present-action.ts"
import { created, Labels, mine, ok, page, parseBody } from "./request.ts"
import type { Route } from "./routes.ts"
import { addRrset, NewRrset } from "./rrsets.ts"
import { loadZone, zoneAction } from "./zone-of-call.ts"

/** Name servers a zone is told to use; the local DNS server answers for all of them. */
const NAME_SERVERS = ["ns1.local-cloud.example.", "ns2.local-cloud.example.", "ns3.local-cloud.example."]
/** Seconds a record lives in caches unless it says otherwise; Hetzner's default. */
const DEFAULT_TTL = 3_600

const Ttl = z.int().min(60).max(2_147_483_647)
const Create = z.object({
  name: z
    .string()
    .regex(
      /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*[a-z0-9]$/,
      "must be a domain in lower case",
    ),
  mode: z.literal("primary", "only primary zones are served"),
  ttl: Ttl.default(DEFAULT_TTL),
  labels: Labels.default({}),
  rrsets: z.array(NewRrset).default([]),
})

export const zoneRoutes: Route[] = [
  {
    method: "GET",
    path: "/zones",
    handle: ({ store }, call) => page(call, "zones", mine(store, "zone", call.project), zone => present(store, zone)),
  },
  {
    method: "POST",
    path: "/zones",
    handle: (context, call) => {
      const { store, actions, now } = context
      const body = parseBody(Create, call.body)
      if (store.find("zone", byDomain(body.name)).length > 0) throw notUnique("zone name")
      const zone: ZoneRecord = {
        id: store.nextId(),
        project: call.project,
        created: now(),
        labels: body.labels,
        name: body.name,
        ttl: body.ttl,
        protection: { delete: false },
      }
      store.put("zone", zone)
      for (const rrset of [
        {
          name: "@",
          type: "SOA",
          records: [{ value: `${NAME_SERVERS[0]} dns.local-cloud.example. ${zone.id} 86400 10800 3600000 3600` }],
        },
        { name: "@", type: "NS", records: NAME_SERVERS.map(value => ({ value })) },
        ...body.rrsets,
      ]) {
        addRrset(context, zone, parseBody(NewRrset, rrset))
      }
      const action = actions.begin({
        project: call.project,
        command: "create_zone",
        resources: [{ id: zone.id, type: "zone" }],
        fail: call.failActions,
      })
      return created(() => ({ zone: present(store, zone), action: currentAction(store, action) }))
    },
  },
  { method: "GET", path: "/zones/:zone", handle: ({ store }, call) => show(store, loadZone(store, call)) },
  {
    method: "PUT",
    path: "/zones/:zone",
    handle: ({ store }, call) => {
      const zone = loadZone(store, call)
      const body = parseBody(z.object({ labels: Labels.optional() }), call.body)
      const changed = { ...zone, labels: body.labels ?? zone.labels }
      store.put("zone", changed)
      return show(store, changed)
    },
  },
  {
    method: "DELETE",
    path: "/zones/:zone",
    handle: (context, call) => {
      const zone = loadZone(context.store, call)
      if (zone.protection.delete) throw isProtected("zone")
      for (const rrset of rrsetsOf(context.store, zone)) context.store.remove("rrset", rrset.id)
      context.store.remove("zone", zone.id)
      return zoneAction(context, call, zone, "delete_zone")
    },
  },
  {
    method: "GET",
    path: "/zones/:zone/zonefile",
    handle: ({ store }, call) => {
      const zone = loadZone(store, call)
      const line = (rrset: RrsetRecord, value: string) =>
        `${rrset.name}\t${rrset.ttl ?? zone.ttl}\tIN\t${rrset.type}\t${value}`
      const lines = rrsetsOf(store, zone).flatMap(rrset => rrset.records.map(record => line(rrset, record.value)))
      return ok(() => ({ zonefile: [`$ORIGIN\t${zone.name}.`, `$TTL\t${zone.ttl}`, ...lines, ""].join("\n") }))
    },
  },
  {
    method: "POST",
    path: "/zones/:zone/actions/change_ttl",
    handle: (context, call) => {
      const zone = loadZone(context.store, call)
      const { ttl } = parseBody(z.object({ ttl: Ttl }), call.body)
      context.store.put("zone", { ...zone, ttl })
      return zoneAction(context, call, zone, "change_ttl")
    },
  },
  {
    method: "POST",
    path: "/zones/:zone/actions/change_protection",
    handle: (context, call) => {
      const zone = loadZone(context.store, call)
      const body = parseBody(z.object({ delete: z.boolean().optional() }), call.body)
      context.store.put("zone", { ...zone, protection: { delete: body.delete ?? zone.protection.delete } })
      return zoneAction(context, call, zone, "change_protection")
    },
  },
  refused(
    "change_primary_nameservers",
    new ApiError(422, "incorrect_zone_mode", "a primary zone has no primary nameservers"),
  ),
  refused("import_zonefile", unsupported("the local cloud does not import zone files")),
]

/** Refused always, and as the zone's mode or the local cloud has it. */
function refused(name: string, why: ApiError): Route {
  return {
    method: "POST",
    path: `/zones/:zone/actions/${name}`,
    handle: ({ store }, call) => {
      loadZone(store, call)
      throw why
    },
  }
}

const rrsetsOf = (store: Store, zone: ZoneRecord) => store.find("rrset", byZone(zone.id))

const show = (store: Store, zone: ZoneRecord) => ok(() => ({ zone: present(store, zone) }))

function present(store: Store, zone: ZoneRecord) {
  return {
    id: zone.id,
    name: zone.name,
    created: zone.created,
    mode: "primary",
    ttl: zone.ttl,
    status: "ok",
    registrar: "other",
    record_count: rrsetsOf(store, zone).reduce((sum, rrset) => sum + rrset.records.length, 0),
    protection: zone.protection,
    labels: zone.labels,
    authoritative_nameservers: {
      assigned: NAME_SERVERS,
      delegated: [],
      delegation_last_check: null,
      delegation_status: "unknown",
    },
    primary_nameservers: [],
  }
}
