import { fromGcpLabels } from "../gcp-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { HeldResource, Machines } from "./contract.ts"
import { lastOf, pathOf } from "./gcp-answers.ts"
import type { GcpApi } from "./gcp-api.ts"
import { eachPage, everywhere, labelled } from "./gcp-questions.ts"
import { gcpRecords } from "./gcp-records.ts"
import { orNull } from "./or-null.ts"
import { removeProtected } from "./protection.ts"

/** Pulumi's types of what programs/gcp.ts makes, and of the disks that operations use. */
const TYPES = {
  machine: "gcp:compute/instance:Instance",
  firewall: "gcp:compute/firewall:Firewall",
  address: "gcp:compute/address:Address",
  schedule: "gcp:compute/resourcePolicy:ResourcePolicy",
  record: "gcp:dns/recordSet:RecordSet",
  volume: "gcp:compute/disk:Disk",
}

interface Found {
  name?: string | null
  selfLink?: string | null
  labels?: Record<string, string> | null
  description?: string | null
  creationTimestamp?: string | null
}

/** Rules and schedules bear no labels at Google; what they are for stands at the end of their descriptions. */
const DESCRIBED = /^foozol-cloud: .* (\S+)$/

/** What is a workspace's at Google: by labels, by descriptions, and records by the addresses that they name. */
export function gcpResources(
  api: GcpApi,
  machines: () => Pick<Machines, "get" | "remove" | "setDeleteProtection" | "removeVolume">,
  main: GcpApi = api,
): Pick<Machines, "resources" | "heldResources" | "removeResources"> {
  const { project } = api.project
  const records = gcpRecords(main)

  /** All of ours, or one workspace's. */
  async function find(workspace: string | null, signal: AbortSignal | undefined): Promise<HeldResource[]> {
    const labels = workspace === null ? { [LABELS.managedBy]: MANAGER } : { [LABELS.workspace]: workspace }
    const query = { project, ...labelled(labels) }
    const [instances, disks, addresses, firewalls, schedules] = await Promise.all([
      api.ask(
        one => everywhere(one.instances.aggregatedListAsync(query, eachPage()), scope => scope.instances),
        signal,
      ),
      api.ask(one => everywhere(one.disks.aggregatedListAsync(query, eachPage()), scope => scope.disks), signal),
      api.ask(
        one => everywhere(one.addresses.aggregatedListAsync(query, eachPage()), scope => scope.addresses),
        signal,
      ),
      api.ask(one => one.firewalls.list({ project }), signal),
      api.ask(
        one => everywhere(one.resourcePolicies.aggregatedListAsync({ project }, eachPage()), at => at.resourcePolicies),
        signal,
      ),
    ])
    const of = (name: string, type: string, one: Found, labels = fromGcpLabels(one.labels ?? {})): HeldResource => ({
      ...{ name, type, id: pathOf(one.selfLink ?? "") },
      workspace: labels[LABELS.workspace] ?? DESCRIBED.exec(one.description ?? "")?.[1] ?? "",
      createdAt: one.creationTimestamp ? new Date(one.creationTimestamp) : null,
    })
    const family = (one: Found) => (one.name ?? "").match(/ipv[46]$/)?.[0] ?? ""
    // The disk that a machine starts from goes with it; one that nothing uses is a leftover.
    const unused = disks.filter(disk => (disk.users ?? []).length === 0)
    const heldAddresses = addresses.map(one => ({ ...of(family(one), TYPES.address, one), address: one.address ?? "" }))
    const ours = [
      ...(await records.pointingAt(heldAddresses, TYPES.record, signal)),
      ...instances.map(one => of("machine", TYPES.machine, one)),
      ...firewalls.map(one => of(`firewall-${family(one)}`, TYPES.firewall, one)),
      ...schedules.map(one => of("schedule", TYPES.schedule, one)),
      ...heldAddresses.map(({ address: _, ...one }) => one),
      ...unused.map(one => of("volume", TYPES.volume, one)),
    ]
    return ours.filter(one => (workspace === null ? one.workspace !== "" : one.workspace === workspace))
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
      for (const id of of(TYPES.record)) await records.remove(id, signal)
      for (const id of of(TYPES.machine)) await removeProtected(machines(), id, call)
      for (const id of of(TYPES.firewall))
        await orNull(
          api.change((one, requestId) => one.firewalls.delete({ project, firewall: lastOf(id), requestId }), call),
        )
      // An address, a schedule or a disk in use is refused; now they are not.
      const region = (id: string) => /\/regions\/([^/]+)\//.exec(id)?.[1] ?? ""
      for (const id of of(TYPES.address))
        await orNull(
          api.change(
            (one, requestId) => one.addresses.delete({ project, region: region(id), address: lastOf(id), requestId }),
            call,
          ),
        )
      for (const id of of(TYPES.volume)) await machines().removeVolume(id, call)
      for (const id of of(TYPES.schedule))
        await orNull(
          api.change(
            (one, requestId) =>
              one.resourcePolicies.delete({ project, region: region(id), resourcePolicy: lastOf(id), requestId }),
            call,
          ),
        )
    },
  }
}
