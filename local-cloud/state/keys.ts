import type { Kind, Records } from "./records.ts"

/**
 * The keys a record is found by besides its id, so that no request looks at all records of a kind: thousands of
 * machines bring thousands of firewalls, addresses and record sets with them.
 */
const KEYS: { [K in Kind]: (record: Records[K]) => string[] } = {
  server: one => [byName(one.project, one.name), ...one.firewalls.map(byFirewall)],
  image: one => [byName(one.project, one.name ?? ""), ...(one.boundTo === null ? [] : [byServer(one.boundTo)])],
  firewall: one => [byName(one.project, one.name), ...(one.selectors.length > 0 ? [WITH_SELECTOR] : [])],
  ssh_key: one => [byName(one.project, one.name)],
  primary_ip: one => [byName(one.project, one.name), byAddress(one.ip)],
  volume: one => [byName(one.project, one.name), ...(one.server === null ? [] : [byServer(one.server)])],
  zone: one => [byName(one.project, one.name), byDomain(one.name)],
  rrset: one => [byZone(one.zone), byZoneAndName(one.zone, one.name)],
  action: one => [
    ...new Set(one.resources.map(resource => byResource(resource.type, resource.id))),
    ...(one.status === "running" && one.work ? [byServer(one.work.server)] : []),
  ],
}

export const keysOf = <K extends Kind>(kind: K, record: Records[K]): string[] => KEYS[kind](record)

/** Records of a project with a name: servers, images, firewalls, SSH keys, primary IPs, volumes, zones. */
export const byName = (project: string, name: string) => `name ${project} ${name}`
/** Zones with a domain, whoever's they are. */
export const byDomain = (name: string) => `domain ${name}`
/** Primary IPs with an address. */
export const byAddress = (ip: string) => `address ${ip}`
/** Servers a firewall is applied to. */
export const byFirewall = (id: number) => `firewall ${id}`
/** Volumes at a server, backups of it, actions that still work on it. */
export const byServer = (id: number) => `at server ${id}`
/** Record sets of a zone. */
export const byZone = (id: number) => `zone ${id}`
export const byZoneAndName = (id: number, name: string) => `zone ${id} ${name}`
/** Actions of a resource. */
export const byResource = (type: string, id: number) => `${type} ${id}`
/** Firewalls that are applied by label. */
export const WITH_SELECTOR = "selector"
