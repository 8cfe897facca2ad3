import { z } from "zod"
import type { HeldResource } from "./contract.ts"
import type { GcpApi } from "./gcp-api.ts"

const Zones = z.object({
  managedZones: z.array(z.object({ name: z.string(), dnsName: z.string() })).default([]),
  nextPageToken: z.string().optional(),
})
const Sets = z.object({
  rrsets: z
    .array(z.object({ name: z.string(), type: z.string(), rrdatas: z.array(z.string()).default([]) }))
    .default([]),
  nextPageToken: z.string().optional(),
})

const ALIAS = "record-CNAME"

/** Records of Cloud DNS. They bear no labels: a workspace's are those that name its addresses, and what leads to those. */
export function gcpRecords(api: GcpApi) {
  const base = `/dns/v1/projects/${api.project.project}/managedZones`

  async function pages<T extends { nextPageToken?: string | undefined }>(
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal | undefined,
  ): Promise<T[]> {
    const all: T[] = []
    for (let token: string | undefined = ""; token !== undefined; ) {
      const query: string = token === "" ? "" : `?pageToken=${encodeURIComponent(token)}`
      const page = schema.parse((await api.rest("dns", "GET", `${path}${query}`, { signal })) ?? {})
      all.push(page)
      token = page.nextPageToken
    }
    return all
  }

  return {
    /** Does the project have such a zone, for this domain? */
    async hasZone(name: string, domain: string, signal?: AbortSignal): Promise<boolean> {
      const zone = await api.rest("dns", "GET", `${base}/${name}`, { signal })
      return z.object({ dnsName: z.string() }).safeParse(zone).data?.dnsName === `${domain}.`
    },
    async pointingAt(
      addresses: readonly (HeldResource & { address: string })[],
      type: string,
      signal: AbortSignal | undefined,
    ): Promise<HeldResource[]> {
      if (addresses.length === 0) return []
      const owners = new Map(addresses.map(one => [canonical(one.address), one.workspace]))
      const zones = (await pages(base, Zones, signal)).flatMap(page => page.managedZones)
      const found = await Promise.all(
        zones.map(async zone => {
          const sets = (await pages(`${base}/${zone.name}/rrsets`, Sets, signal)).flatMap(page => page.rrsets)
          const ownerOf = (set: (typeof sets)[number]) =>
            ["A", "AAAA"].includes(set.type)
              ? set.rrdatas.map(value => owners.get(canonical(value))).find(owner => owner !== undefined)
              : undefined
          const named = new Map(sets.flatMap(set => [[set.name, ownerOf(set)] as const].filter(([, owner]) => owner)))
          return sets.flatMap(set => {
            // The names of its ports are an alias of its own.
            const alias = set.type === "CNAME" && set.name === `*.${set.rrdatas[0]}` ? set.rrdatas[0] : undefined
            const workspace = alias === undefined ? ownerOf(set) : named.get(alias)
            if (workspace === undefined) return []
            const id = `${base.slice("/dns/v1/".length)}/${zone.name}/rrsets/${set.name}/${set.type}`
            return [{ name: `record-${set.type}`, type, id, workspace, createdAt: null }]
          })
        }),
      )
      // Aliases first, as they are removed: without what they lead to nobody would know whose they are.
      return found.flat().sort((one, other) => Number(other.name === ALIAS) - Number(one.name === ALIAS))
    },
    /** Succeeds when it is gone already. */
    async remove(id: string, signal?: AbortSignal): Promise<void> {
      await api.rest("dns", "DELETE", `/dns/v1/${id}`, { signal })
    },
  }
}

/** An IPv6 address can be written in many ways. */
function canonical(address: string): string {
  return address.includes(":") && URL.canParse(`http://[${address}]`)
    ? new URL(`http://[${address}]`).hostname
    : address
}
