import { BlockList } from "node:net"
import { z } from "zod"
import type { HeldResource } from "./contract.ts"
import { orNull } from "./or-null.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"

const Zone = z.object({ domain: z.string(), subdomain: z.string() }).transform(({ domain, subdomain }) => ({
  name: subdomain === "" ? domain : `${subdomain}.${domain}`,
}))
const Record = z.object({ id: z.string(), name: z.string(), type: z.string(), data: z.string() })

const BASE = "/domain/v2beta1/dns-zones"

/** An address of a workspace: IPv4 as it is, of IPv6 the network that machines take theirs from. */
export type KnownAddress = HeldResource & ({ address: string } | { prefix: string })

/** Records of Domains and DNS. They bear no tags: a workspace's are those that name its addresses. */
export function scalewayRecords(api: ScalewayApi) {
  const zonesOf = (call: { signal?: AbortSignal | undefined }) =>
    api.list(`${BASE}?project_id=${api.project.project}`, "dns_zones", Zone, call)
  return {
    /** Does the project have such a zone? */
    async hasZone(domain: string, signal?: AbortSignal): Promise<boolean> {
      return (await zonesOf({ signal })).some(({ name }) => name === domain)
    },
    async pointingAt(
      addresses: readonly KnownAddress[],
      type: string,
      signal: AbortSignal | undefined,
    ): Promise<HeldResource[]> {
      if (addresses.length === 0) return []
      const networks = addresses.map(one => ({ workspace: one.workspace, list: networkOf(one) }))
      const found = await Promise.all(
        (await zonesOf({ signal })).map(async zone => {
          const records = await api.list(`${BASE}/${zone.name}/records`, "records", Record, { signal })
          return records.flatMap(record => {
            const family = record.type === "A" ? "ipv4" : record.type === "AAAA" ? "ipv6" : null
            const owner = family && networks.find(({ list }) => list.check(record.data, family))
            if (!owner) return []
            const id = `${zone.name}/${record.id}`
            return [{ name: `record-${record.type}`, type, id, workspace: owner.workspace, createdAt: null }]
          })
        }),
      )
      return found.flat()
    },
    /** Succeeds when it is gone already. */
    async remove(id: string, signal?: AbortSignal): Promise<void> {
      const [zone, own] = id.split("/")
      const path = `${BASE}/${zone}/records`
      const there = await orNull(api.list(path, "records", Record, { signal }))
      if (!there?.some(record => record.id === own)) return
      const body = { changes: [{ delete: { id: own } }], return_all_records: false, disallow_new_zone_creation: true }
      await api.request("PATCH", path, Anything, { body, signal })
    },
  }
}

function networkOf(one: KnownAddress): BlockList {
  const list = new BlockList()
  if ("address" in one) list.addAddress(one.address, "ipv4")
  else {
    const [network = "::", bits = "64"] = one.prefix.split("/")
    list.addSubnet(network, Number(bits), "ipv6")
  }
  return list
}
