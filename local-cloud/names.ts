import { answerQuery } from "./network/dns-answer.ts"
import { byDomain, byZone, byZoneAndName } from "./state/keys.ts"
import type { Store } from "./state/store.ts"

/** Lookups for the DNS server and the router by name, answered from the zones' record sets. */
export function createNames(store: Store) {
  const zones = () => store.all("zone")
  const zoneOf = (name: string) => store.find("zone", byDomain(name))[0]
  const lookup = (zoneName: string, name: string, type: string) => {
    const zone = zoneOf(zoneName)
    if (!zone) return []
    return store
      .find("rrset", byZoneAndName(zone.id, name))
      .filter(rrset => rrset.type === type)
      .map(rrset => ({ ttl: rrset.ttl ?? zone.ttl, values: rrset.records.map(record => record.value) }))
  }
  const names = (zoneName: string) => {
    const zone = zoneOf(zoneName)
    return zone ? store.find("rrset", byZone(zone.id)).map(rrset => rrset.name) : []
  }
  const zoneNames = () => zones().map(zone => zone.name)
  return {
    zones: zoneNames,
    lookup,
    names,
    /** The IPv4 address of a host, as the DNS answers: by its own record, a wildcard's, or an alias. */
    address(host: string): string | null {
      const questions = [{ name: host, type: "A" as const, class: "IN" as const }]
      const found = answerQuery({ type: "query", questions }, { zones: zoneNames, lookup, names })?.answers ?? []
      const address = found.findLast(one => one.type === "A")
      return address === undefined ? null : String((address as { data: unknown }).data)
    },
  }
}

/** The IPv4 address of the machine that is the service's own server, by its label; null when there is none. */
export function platformAddress(store: Store): string | null {
  const server = store.all("server").find(one => one.labels["foozol-platform"] !== undefined)
  return (server && store.all("primary_ip").find(one => one.id === server.ipv4)?.ip) ?? null
}
