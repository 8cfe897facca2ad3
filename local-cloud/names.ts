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
  return {
    zones: () => zones().map(zone => zone.name),
    lookup,
    names,
    /** The IPv4 address of a host by its A record, the longest zone first. */
    address(host: string): string | null {
      const fitting = zones()
        .map(zone => zone.name)
        .filter(zone => host === zone || host.endsWith(`.${zone}`))
        .sort((a, b) => b.length - a.length)
      const [zone] = fitting
      if (!zone) return null
      const name = host === zone ? "@" : host.slice(0, -zone.length - 1)
      return lookup(zone, name, "A")[0]?.values[0] ?? null
    },
  }
}

/** The IPv4 address of the machine that is the service's own server, by its label; null when there is none. */
export function platformAddress(store: Store): string | null {
  const server = store.all("server").find(one => one.labels["foozol-platform"] !== undefined)
  return (server && store.all("primary_ip").find(one => one.id === server.ipv4)?.ip) ?? null
}
