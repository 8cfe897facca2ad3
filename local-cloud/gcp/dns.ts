import { alreadyExists, GoogleRefusal, notFound } from "./errors.ts"
import { page } from "./lists.ts"
import type { GcpState, Json, Resource } from "./state.ts"

/** Cloud DNS: zones and their sets of records. There are no operations: what is answered is so. */

const zonePath = (state: GcpState, name: string) => `projects/${state.settings.project}/managedZones/${name}`

/** Makes a zone; its name is the operator's choice. */
export function addZone(state: GcpState, name: string, domain: string): void {
  state.resources.set(zonePath(state, name), { kind: "dns#managedZone", name, dnsName: `${domain}.`, rrsets: [] })
}

const setsOf = (zone: Resource) => zone.rrsets as Resource[]

export function dnsAnswer(state: GcpState, method: string, parts: string[], query: URLSearchParams, body: Json): Json {
  const [name, , set, type] = parts
  if (name === undefined) {
    const { items, next } = page(
      state.all("managedZones").map(([, zone]) => zone),
      query,
    )
    return { managedZones: items.map(shown), ...(next ? { nextPageToken: next } : {}) }
  }
  const zone = state.find(zonePath(state, name))
  if (!zone)
    throw new GoogleRefusal(404, "notFound", `The 'parameters.managedZone' resource named '${name}' does not exist.`)
  if (parts.length === 1) return shown(zone)
  if (set === undefined && method === "POST") {
    if (setsOf(zone).some(one => one.name === body.name && one.type === body.type))
      throw alreadyExists(`${body.name} ${body.type}`)
    setsOf(zone).push({ ...body, kind: "dns#resourceRecordSet" } as unknown as Resource)
    return body
  }
  if (set === undefined) {
    const { items, next } = page(setsOf(zone), query)
    return { rrsets: items, ...(next ? { nextPageToken: next } : {}) }
  }
  const found = setsOf(zone).find(one => one.name === set && one.type === type)
  if (!found) throw notFound(`${set} ${type}`)
  if (method === "DELETE") {
    zone.rrsets = setsOf(zone).filter(one => one !== found)
    return {}
  }
  return found
}

const shown = ({ rrsets: _, ...zone }: Resource): Json => zone
