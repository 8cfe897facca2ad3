import type { Store } from "./state/store.ts"

/** Lookups for the DNS server and the router by name, answered from the zones' record sets. */
export function createNames(store: Store) {
  const zones = () => store.all("zone")
  const rrsets = (zoneName: string) => {
    const zone = zones().find(one => one.name === zoneName)
    return { zone, sets: zone ? store.all("rrset").filter(rrset => rrset.zone === zone.id) : [] }
  }
  const lookup = (zoneName: string, name: string, type: string) => {
    const { zone, sets } = rrsets(zoneName)
    return sets
      .filter(rrset => rrset.name === name && rrset.type === type)
      .map(rrset => ({ ttl: rrset.ttl ?? zone?.ttl ?? 60, values: rrset.records.map(record => record.value) }))
  }
  return {
    zones: () => zones().map(zone => zone.name),
    lookup,
    names: (zoneName: string) => rrsets(zoneName).sets.map(rrset => rrset.name),
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
