import { z } from "zod"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { HeldResource, Machines } from "./contract.ts"
import type { HetznerApi } from "./hetzner-api.ts"
import { selector } from "./hetzner-questions.ts"
import { orNull } from "./or-null.ts"
import { removeProtected } from "./protection.ts"

/** Pulumi's types of what programs/hetzner.ts makes, and of the volumes that operations use. */
const TYPES = {
  machine: "hcloud:index/server:Server",
  firewall: "hcloud:index/firewall:Firewall",
  address: "hcloud:index/primaryIp:PrimaryIp",
  record: "hcloud:index/zoneRrset:ZoneRrset",
  volume: "hcloud:index/volume:Volume",
}

const Labels = z.record(z.string(), z.string())
const Dated = z.object({ id: z.number(), labels: Labels, created: z.coerce.date() })
const Typed = Dated.extend({ type: z.string() })
const Zone = z.object({ id: z.number(), name: z.string() })
const Rrset = z.object({ id: z.string(), type: z.string(), labels: Labels })

type Call = Pick<Machines, "get" | "remove" | "setDeleteProtection" | "removeVolume">

/**
 * What carries our labels at Hetzner.
 * @param zones the project that has the DNS zones
 */
export function hetznerResources(
  api: HetznerApi,
  zones: HetznerApi,
  machines: () => Call,
): Pick<Machines, "resources" | "heldResources" | "removeResources"> {
  async function recordsOf(query: string, signal: AbortSignal | undefined): Promise<HeldResource[]> {
    const all = await zones.list("/zones", "zones", Zone, { signal })
    const records = await Promise.all(
      all.map(async zone => {
        const sets = await zones.list(`/zones/${zone.id}/rrsets?${query}`, "rrsets", Rrset, { signal })
        return sets.map(set => ({
          ...{ name: `record-${set.type}`, type: TYPES.record, ...held(set.labels, null) },
          // By the zone's name, as the program names it: taken in by number it would be another zone's and be replaced.
          id: `${zone.name}/${set.id}`,
          recordedAs: set.id,
        }))
      }),
    )
    return records.flat()
  }

  /** Everything but volumes, named as programs/hetzner.ts names it. */
  async function labelled(
    labels: Record<string, string>,
    withRecords: boolean,
    signal: AbortSignal | undefined,
  ): Promise<HeldResource[]> {
    const query = `label_selector=${selector(labels)}`
    const [servers, firewalls, addresses, records] = await Promise.all([
      api.list(`/servers?${query}`, "servers", Dated, { signal }),
      api.list(`/firewalls?${query}`, "firewalls", Dated, { signal }),
      api.list(`/primary_ips?${query}`, "primary_ips", Typed, { signal }),
      withRecords ? recordsOf(query, signal) : [],
    ])
    return [
      ...records,
      ...servers.map(one => ({ name: "machine", type: TYPES.machine, ...dated(one) })),
      ...firewalls.map(one => ({ name: "firewall", type: TYPES.firewall, ...dated(one) })),
      ...addresses.map(one => ({ name: one.type, type: TYPES.address, ...dated(one) })),
    ]
  }

  return {
    resources: (workspace, { signal } = {}) => labelled({ [LABELS.workspace]: workspace }, true, signal),

    async heldResources({ signal } = {}) {
      const labels = { [LABELS.managedBy]: MANAGER }
      const [resources, volumes] = await Promise.all([
        // Records are the project's that has the zones.
        labelled(labels, api === zones, signal),
        api.list(`/volumes?label_selector=${selector(labels)}`, "volumes", Dated, { signal }),
      ])
      const all = [...resources, ...volumes.map(one => ({ name: "volume", type: TYPES.volume, ...dated(one) }))]
      // Builders of images and machines that stand apart are nobody's.
      return all.filter(one => one.workspace !== "")
    },

    async removeResources(resources, { signal } = {}) {
      const call = signal ? { signal } : {}
      const remove = (at: HetznerApi, path: string) => orNull(at.request("DELETE", path, z.object({}), { signal }))
      const of = (type: string) => resources.filter(one => one.type === type)
      for (const { id } of of(TYPES.record)) {
        const [zone = "", ...set] = id.split("/")
        await remove(zones, `/zones/${zone}/rrsets/${set.join("/")}`)
      }
      for (const { id } of of(TYPES.machine)) await removeProtected(machines(), id, call)
      // A firewall, an address or a volume in use is refused; now they are not.
      for (const { id } of of(TYPES.firewall)) await remove(api, `/firewalls/${id}`)
      for (const { id } of of(TYPES.address)) await remove(api, `/primary_ips/${id}`)
      for (const { id } of of(TYPES.volume)) await machines().removeVolume(id, call)
    },
  }
}

const held = (labels: Record<string, string>, createdAt: Date | null) => ({
  workspace: labels[LABELS.workspace] ?? "",
  createdAt,
})

const dated = ({ id, labels, created }: z.output<typeof Dated>) => ({ id: String(id), ...held(labels, created) })
