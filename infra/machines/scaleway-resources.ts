import { z } from "zod"
import { fromTags, placed, zonedId } from "../scaleway-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { HeldResource, Machines } from "./contract.ts"
import { orNull } from "./or-null.ts"
import { removeProtected } from "./protection.ts"
import { BlockVolume, bootOf, Server } from "./scaleway-answers.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"
import { blockTags, instanceTags } from "./scaleway-questions.ts"
import { type KnownAddress, scalewayRecords } from "./scaleway-records.ts"

/** Pulumi's types of what programs/scaleway.ts makes, and of the volumes that operations use. */
const TYPES = {
  machine: "scaleway:instance/server:Server",
  firewall: "scaleway:instance/securityGroup:SecurityGroup",
  address: "scaleway:instance/ip:Ip",
  record: "scaleway:domain/record:Record",
  volume: "scaleway:block/volume:Volume",
}

const Group = z.object({ id: z.string(), tags: z.array(z.string()), creation_date: z.coerce.date().nullish() })
const Ip = z.object({
  id: z.string(),
  tags: z.array(z.string()),
  type: z.string(),
  address: z.string().nullish(),
  prefix: z.string().nullish(),
})

/** What the program calls the disk of a machine: Scaleway gives it no tags, and leaves it where a destroy was cut off. */
const DISK_NAME = /^foozol-([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)$/

type Call = { signal?: AbortSignal | undefined }

/** What is a workspace's at Scaleway: by tags, disks without a machine by names too, and records by the addresses they name. */
export function scalewayResources(
  api: ScalewayApi,
  machines: () => Pick<Machines, "get" | "remove" | "setDeleteProtection" | "removeVolume">,
): Pick<Machines, "resources" | "heldResources" | "removeResources"> {
  const { project, zones } = api.project
  const records = scalewayRecords(api)

  async function inZone(zone: string, labels: Record<string, string>, call: Call) {
    const base = `/instance/v1/zones/${zone}`
    const query = instanceTags(project, labels)
    const [servers, groups, ips, volumes] = await Promise.all([
      api.list(`${base}/servers?${query}`, "servers", Server, call),
      api.list(`${base}/security_groups?${query}`, "security_groups", Group, call),
      api.list(`${base}/ips?${query}`, "ips", Ip, call),
      api.list(`/block/v1/zones/${zone}/volumes?${blockTags(project, {})}`, "volumes", BlockVolume, call),
    ])
    const of = (name: string, type: string, one: { id: string; tags: string[] }, createdAt: Date | null) => {
      const workspace = fromTags(one.tags)[LABELS.workspace] ?? ""
      return { name, type, id: zonedId(zone, one.id), workspace, createdAt }
    }
    const boots = new Set(servers.map(bootOf))
    const addresses = ips.map((ip): KnownAddress => {
      const isSix = ip.type === "routed_ipv6"
      return {
        ...of(isSix ? "ipv6" : "ipv4", TYPES.address, ip, null),
        ...(isSix ? { prefix: ip.prefix ?? "::/128" } : { address: ip.address ?? "0.0.0.0" }),
      }
    })
    const loose = volumes.flatMap(volume => {
      const held = of("volume", TYPES.volume, volume, volume.created_at)
      if (boots.has(volume.id)) return []
      if (held.workspace !== "" || volume.references.length > 0) return [held]
      return [{ ...held, workspace: DISK_NAME.exec(volume.name)?.[1] ?? "" }]
    })
    return {
      held: [
        ...servers.map(one => of("machine", TYPES.machine, one, one.creation_date)),
        ...groups.map(one => of("firewall", TYPES.firewall, one, one.creation_date ?? null)),
        ...loose,
      ],
      addresses,
    }
  }

  async function find(workspace: string | null, signal: AbortSignal | undefined): Promise<HeldResource[]> {
    const labels = workspace === null ? { [LABELS.managedBy]: MANAGER } : { [LABELS.workspace]: workspace }
    const parts = await Promise.all(zones.map(zone => inZone(zone, labels, { signal })))
    const addresses = parts.flatMap(part => part.addresses)
    const all = [
      ...(await records.pointingAt(addresses, TYPES.record, signal)),
      ...parts.flatMap(part => part.held),
      ...addresses.map(({ name, type, id, workspace: of, createdAt }) => ({
        name,
        type,
        id,
        workspace: of,
        createdAt,
      })),
    ]
    return all.filter(one => (workspace === null ? one.workspace !== "" : one.workspace === workspace))
  }

  return {
    resources: async (workspace, { signal } = {}) => {
      const all = await find(workspace, signal)
      return all.filter(one => one.type !== TYPES.volume).map(({ workspace: _, createdAt: __, ...one }) => one)
    },
    heldResources: ({ signal } = {}) => find(null, signal),

    async removeResources(resources, { signal } = {}) {
      const call = signal ? { signal } : {}
      const of = (type: string) => resources.filter(one => one.type === type).map(one => one.id)
      const remove = (kind: string, id: string) => {
        const at = placed(id)
        return orNull(api.request("DELETE", `/instance/v1/zones/${at.zone}/${kind}/${at.id}`, Anything, call))
      }
      for (const id of of(TYPES.record)) await records.remove(id, signal)
      for (const id of of(TYPES.machine)) await removeProtected(machines(), id, call)
      // A group in use is refused; now it is not.
      for (const id of of(TYPES.firewall)) await remove("security_groups", id)
      for (const id of of(TYPES.address)) await remove("ips", id)
      for (const id of of(TYPES.volume)) await machines().removeVolume(id, call)
    },
  }
}
