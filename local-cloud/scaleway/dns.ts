import { randomUUID } from "node:crypto"
import { invalid, notFound } from "./errors.ts"
import type { DnsZone, Json, ScalewayState } from "./state.ts"

/** Makes a zone, as an operator does. */
export function addZone(state: ScalewayState, domain: string): void {
  state.zones.set(domain, { domain, records: [] })
}

/** Domains and DNS: zones, and their records, which are changed several at a time. */
export function dnsAnswer(state: ScalewayState, method: string, parts: string[], body: Json): Json | Json[] {
  const [name, kind] = parts
  if (name === undefined && method === "GET") return [...state.zones.values()].map(zone => shownZone(state, zone))
  const zone = state.zones.get(name ?? "")
  if (!zone || kind !== "records") throw notFound("dns_zone", name ?? "")
  if (method === "GET") return zone.records
  if (method !== "PATCH") throw notFound("dns_zone", `${method} ${name}`)
  for (const change of body.changes as { add?: { records: Json[] }; delete?: { id: string } }[]) {
    for (const { name: own, type, ttl, data } of change.add?.records ?? []) {
      if (Number(ttl) < 60) throw invalid("ttl", "must be 60 or more")
      const record = { id: randomUUID(), name: own, type, ttl, data, priority: 0, comment: null }
      zone.records.push({ ...record, updated_at: state.now() })
    }
    if (!change.delete) continue
    const at = zone.records.findIndex(({ id }) => id === change.delete?.id)
    if (at < 0) throw notFound("record", change.delete.id)
    zone.records.splice(at, 1)
  }
  return { records: body.return_all_records ? zone.records : [] }
}

function shownZone(state: ScalewayState, { domain }: DnsZone): Json {
  // The domain itself, and what is before it, as for a zone that is a part of a registered domain.
  const labels = domain.split(".")
  const [subdomain, own] = [labels.slice(0, -2).join("."), labels.slice(-2).join(".")]
  return {
    ...{ domain: own, subdomain, ns: ["ns0.dom.scw.cloud", "ns1.dom.scw.cloud"], ns_default: [], ns_master: [] },
    ...{ status: "active", message: null, project_id: state.settings.project, linked_products: [] },
    updated_at: state.now(),
  }
}
