import { SERVER_TYPES } from "../catalog.ts"
import type { Context } from "../context.ts"
import type { ServerRecord } from "../state/records.ts"
import { locationByName, presentServerType } from "./catalog-routes.ts"
import { firewallsOf } from "./firewalls.ts"
import { presentImage } from "./images.ts"

/** A server as the API shows it. */
export function presentServer(context: Pick<Context, "store" | "soldOut">, server: ServerRecord) {
  const { store } = context
  const type = SERVER_TYPES.find(one => one.name === server.type)
  const image = server.image === null ? undefined : store.get("image", server.image)
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    created: server.created,
    server_type: type && presentServerType(context, type),
    location: locationByName(server.location),
    image: image ? presentImage(image) : null,
    iso: null,
    rescue_enabled: false,
    locked: server.locked,
    backup_window: server.backupWindow,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: 21_990_232_555_520,
    protection: server.protection,
    labels: server.labels,
    volumes: server.volumes,
    load_balancers: [],
    primary_disk_size: server.diskGb,
    placement_group: null,
    private_net: [],
    public_net: {
      ipv4: presentIpv4(context, server),
      ipv6: presentIpv6(context, server),
      floating_ips: [],
      firewalls: firewallsOf(store, server).map(id => ({ id, status: "applied" })),
    },
  }
}

function presentIpv4({ store }: Pick<Context, "store">, server: ServerRecord) {
  const ip = server.ipv4 === null ? undefined : store.get("primary_ip", server.ipv4)
  if (!ip) return null
  return {
    id: ip.id,
    ip: ip.ip,
    blocked: false,
    dns_ptr: server.dnsPtr[ip.ip] ?? `static.${ip.ip.split(".").reverse().join(".")}.local.example`,
  }
}

function presentIpv6({ store }: Pick<Context, "store">, server: ServerRecord) {
  const ip = server.ipv6 === null ? undefined : store.get("primary_ip", server.ipv6)
  if (!ip) return null
  const pointers = Object.entries(server.dnsPtr).filter(([address]) => address.includes(":"))
  return {
    id: ip.id,
    ip: ip.ip,
    blocked: false,
    dns_ptr: pointers.map(([address, name]) => ({ ip: address, dns_ptr: name })),
  }
}
