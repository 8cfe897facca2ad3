import { isIPv4, isIPv6 } from "node:net"
import { z } from "zod"
import type { Context } from "../context.ts"
import { invalidInput, isProtected, notFound, notUnique } from "../errors.ts"
import { byZone, byZoneAndName } from "../state/keys.ts"
import type { RrsetRecord, ZoneRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { currentAction } from "./present-action.ts"
import { type Call, created, Labels, ok, page, parseBody, type Reply } from "./request.ts"
import type { Route } from "./routes.ts"
import { loadZone, zoneAction } from "./zone-of-call.ts"

const TYPES = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DS",
  "HINFO",
  "HTTPS",
  "MX",
  "NS",
  "PTR",
  "RP",
  "SOA",
  "SRV",
  "SVCB",
  "TLSA",
  "TXT",
] as const
const Name = z
  .string()
  .regex(
    /^(@|(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*)$/,
    "must be relative to the zone, in lower case, or @",
  )
const Entries = z
  .array(z.object({ value: z.string().min(1).max(4_096), comment: z.string().max(255).default("") }))
  .min(1)
  .max(100)
const Ttl = z.int().min(60).max(2_147_483_647).nullish()

/** A record set as requests give it. */
export const NewRrset = z.object({
  name: Name,
  type: z.enum(TYPES),
  ttl: Ttl.transform(ttl => ttl ?? null),
  records: Entries,
  labels: Labels.default({}),
})

/** Most record sets of a page; other lists have half of it. */
const MAX_PAGE = 100

const BASE = "/zones/:zone/rrsets"
const ONE = `${BASE}/:name/:type`

export const rrsetRoutes: Route[] = [
  {
    method: "GET",
    path: BASE,
    handle: ({ store }, call) => {
      const zone = loadZone(store, call)
      const types = call.query.getAll("type")
      const found = store
        .find("rrset", byZone(zone.id))
        .filter(rrset => types.length === 0 || types.includes(rrset.type))
      return page(call, "rrsets", found, present, MAX_PAGE)
    },
  },
  {
    method: "POST",
    path: BASE,
    handle: (context, call) => {
      const zone = loadZone(context.store, call)
      const rrset = addRrset(context, zone, parseBody(NewRrset, call.body))
      return withAction(context, call, zone, rrset, "create_rrset")
    },
  },
  { method: "GET", path: ONE, handle: ({ store }, call) => show(loadRrset(store, call).rrset) },
  {
    method: "PUT",
    path: ONE,
    handle: ({ store }, call) => {
      const { rrset } = loadRrset(store, call)
      const body = parseBody(z.object({ labels: Labels.optional() }), call.body)
      const changed = { ...rrset, labels: body.labels ?? rrset.labels }
      store.put("rrset", changed)
      return show(changed)
    },
  },
  {
    method: "DELETE",
    path: ONE,
    handle: (context, call) => {
      const { zone, rrset } = loadRrset(context.store, call)
      if (rrset.protection.change) throw isProtected("record set")
      context.store.remove("rrset", rrset.id)
      return zoneAction(context, call, zone, "delete_rrset")
    },
  },
  change("set_records", "set_rrset_records", (rrset, body) => {
    const { records } = parseBody(z.object({ records: Entries }), body)
    return { ...rrset, records: checked(rrset.type, records) }
  }),
  change("add_records", "add_rrset_records", (rrset, body) => {
    const { records, ttl } = parseBody(z.object({ records: Entries, ttl: Ttl }), body)
    if (records.some(one => rrset.records.some(known => known.value === one.value))) throw notUnique("record")
    return { ...rrset, ttl: ttl ?? rrset.ttl, records: [...rrset.records, ...checked(rrset.type, records)] }
  }),
  change("remove_records", "remove_rrset_records", (rrset, body) => {
    const { records } = parseBody(z.object({ records: Entries }), body)
    const gone = new Set(records.map(record => record.value))
    const left = rrset.records.filter(record => !gone.has(record.value))
    // A record set without records does not exist.
    return left.length > 0 ? { ...rrset, records: left } : null
  }),
  change("update_records", "update_rrset_records", (rrset, body) => {
    const { records } = parseBody(z.object({ records: Entries }), body)
    const comments = new Map(records.map(record => [record.value, record.comment]))
    return {
      ...rrset,
      records: rrset.records.map(record => ({ ...record, comment: comments.get(record.value) ?? record.comment })),
    }
  }),
  change("change_ttl", "change_rrset_ttl", (rrset, body) => ({
    ...rrset,
    ttl: parseBody(z.object({ ttl: Ttl }), body).ttl ?? null,
  })),
  change("change_protection", "change_rrset_protection", (rrset, body) => ({
    ...rrset,
    protection: {
      change: parseBody(z.object({ change: z.boolean().optional() }), body).change ?? rrset.protection.change,
    },
  })),
]

/** Adds a record set to a zone. @throws ApiError `uniqueness_error` when name and type are taken */
export function addRrset({ store, now }: Context, zone: ZoneRecord, given: z.output<typeof NewRrset>): RrsetRecord {
  const same = store.find("rrset", byZoneAndName(zone.id, given.name))
  if (same.some(one => one.type === given.type)) throw notUnique("record set")
  if (same.length > 0 && (given.type === "CNAME" || same.some(one => one.type === "CNAME"))) {
    throw invalidInput([{ name: "type", messages: ["a CNAME stands alone at its name"] }])
  }
  const rrset: RrsetRecord = {
    id: store.nextId(),
    project: zone.project,
    created: now(),
    labels: given.labels,
    zone: zone.id,
    name: given.name,
    type: given.type,
    ttl: given.ttl,
    records: checked(given.type, given.records),
    protection: { change: false },
  }
  store.put("rrset", rrset)
  return rrset
}

type Change = (rrset: RrsetRecord, body: unknown) => RrsetRecord | null

function change(name: string, command: string, make: Change): Route {
  return {
    method: "POST",
    path: `${ONE}/actions/${name}`,
    handle: (context, call) => {
      // Records can be added to a set that does not exist yet.
      const { zone, rrset } = loadRrset(context.store, call, name === "add_records" ? context : undefined)
      if (rrset.protection.change && name !== "change_protection") throw isProtected("record set")
      const changed = make(rrset, call.body)
      if (changed) context.store.put("rrset", changed)
      else context.store.remove("rrset", rrset.id)
      const reply = zoneAction(context, call, zone, command)
      // The description has this one answer 200, unlike every other action.
      return name === "update_records" ? { ...reply, status: 200 } : reply
    },
  }
}

function checked(type: string, records: z.output<typeof Entries>): z.output<typeof Entries> {
  const valid = type === "A" ? isIPv4 : type === "AAAA" ? isIPv6 : () => true
  const wrong = records.find(record => !valid(record.value))
  if (wrong) throw invalidInput([{ name: "records", messages: [`"${wrong.value}" is not a valid ${type} record`] }])
  return records
}

function loadRrset(store: Store, call: Call, makeIn?: Context): { zone: ZoneRecord; rrset: RrsetRecord } {
  const zone = loadZone(store, call)
  const [name, type] = [call.params.name ?? "", call.params.type ?? ""]
  const rrset = store.find("rrset", byZoneAndName(zone.id, name)).find(one => one.type === type)
  if (rrset) return { zone, rrset }
  if (!makeIn) throw notFound("record set", `${name}/${type}`)
  const fresh = parseBody(NewRrset.omit({ records: true }), { name, type, ttl: null })
  const made = {
    ...fresh,
    records: [],
    id: store.nextId(),
    project: zone.project,
    created: makeIn.now(),
    zone: zone.id,
    protection: { change: false },
  }
  return { zone, rrset: made }
}

const show = (rrset: RrsetRecord) => ok(() => ({ rrset: present(rrset) }))

function withAction(
  { store, actions }: Context,
  call: Call,
  zone: ZoneRecord,
  rrset: RrsetRecord,
  command: string,
): Reply {
  const action = actions.begin({
    project: call.project,
    command,
    resources: [{ id: zone.id, type: "zone" }],
    fail: call.failActions,
  })
  return created(() => ({ rrset: present(rrset), action: currentAction(store, action) }))
}

function present(rrset: RrsetRecord) {
  const { name, type, ttl, records, labels, protection, zone } = rrset
  return { id: `${name}/${type}`, name, type, ttl, records, labels, protection, zone }
}
