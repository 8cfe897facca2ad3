import { randomBytes } from "node:crypto"
import { InfraError } from "../errors.ts"
import { DISK_ROLE, diskSource, fromGcpLabels, toGcpLabels } from "../gcp-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { Machines } from "./contract.ts"
import { bootOf, type Disk, type Instance, lastOf, pathOf, placed, toVolume } from "./gcp-answers.ts"
import type { GcpApi } from "./gcp-api.ts"
import { eachPage, everywhere, labelled } from "./gcp-questions.ts"
import { orNull } from "./or-null.ts"

/** The smallest balanced disk Google sells, GB. */
const LEAST_GB = 10
/** On a new disk for a machine, until it has taken the place of the old one: which machine's it shall be. */
const FRESH = "foozol-fresh-for"

type Call = { signal?: AbortSignal | undefined }

/** Disks at Google: volumes, and the change of the one that a machine starts from. */
export function gcpDisks(
  api: GcpApi,
  machines: () => Pick<Machines, "powerOff" | "powerOn">,
  instanceOf: (id: string, call: Call) => Promise<Instance | null>,
): Pick<Machines, "makeVolume" | "listVolumes" | "attachVolume" | "removeVolume" | "rebuild"> {
  const { project } = api.project
  const list = (labels: Record<string, string>, { signal }: Call) =>
    api.ask(
      ({ disks }) =>
        everywhere(disks.aggregatedListAsync({ project, ...labelled(labels) }, eachPage()), scope => scope.disks),
      signal,
    )
  const get = (id: string, { signal }: Call) => {
    const { zone, name } = placed(id)
    return orNull(api.ask(({ disks }) => disks.get({ project, zone, disk: name }), signal))
  }
  async function insert(zone: string, disk: Disk, call: Call): Promise<Disk> {
    await api.change(
      ({ disks }, requestId) =>
        disks.insert({
          project,
          zone,
          requestId,
          diskResource: { ...disk, type: `zones/${zone}/diskTypes/pd-balanced` },
        }),
      call,
    )
    return api.ask(({ disks }) => disks.get({ project, zone, disk: disk.name as string }), call.signal)
  }
  const remove = (id: string, call: Call) => {
    const { zone, name } = placed(id)
    return orNull(api.change(({ disks }, requestId) => disks.delete({ project, zone, disk: name, requestId }), call))
  }
  const detach = (machine: string, deviceName: string, call: Call) => {
    const { zone, name } = placed(machine)
    return api.change(
      ({ instances }, requestId) => instances.detachDisk({ project, zone, instance: name, deviceName, requestId }),
      call,
    )
  }
  const attach = (machine: string, disk: string, more: object, call: Call) => {
    const { zone, name } = placed(machine)
    return api.change(
      ({ instances }, requestId) =>
        instances.attachDisk({
          ...{ project, zone, instance: name, requestId },
          attachedDiskResource: { source: disk, ...more },
        }),
      call,
    )
  }
  /** Takes a volume off the machine that has it. */
  async function free(disk: Disk, call: Call): Promise<void> {
    const [user] = disk.users ?? []
    if (!user) return
    const instance = await instanceOf(pathOf(user), call)
    const there = instance?.disks?.find(one => lastOf(one.source) === disk.name)
    if (there?.deviceName) await detach(pathOf(user), there.deviceName, call)
  }

  return {
    async makeVolume(machineId, { name, gb, labels }, { signal } = {}) {
      const call = { signal }
      const made = await insert(
        placed(machineId).zone,
        {
          name,
          sizeGb: String(Math.max(LEAST_GB, Math.ceil(gb))),
          labels: toGcpLabels({ ...labels, [DISK_ROLE]: "volume" }),
        },
        call,
      )
      const id = pathOf(made.selfLink ?? "")
      await attach(machineId, id, { deviceName: name }, call)
      return { ...toVolume(made), machine: machineId }
    },
    async listVolumes(labels, { signal } = {}) {
      return (await list({ ...labels, [DISK_ROLE]: "volume" }, { signal })).map(toVolume)
    },
    async attachVolume(id, machineId, { signal } = {}) {
      const disk = await get(id, { signal })
      if (disk && toVolume(disk).machine === machineId) return
      if (disk) await free(disk, { signal })
      await attach(machineId, id, { deviceName: placed(id).name }, { signal })
    },
    async removeVolume(id, { signal } = {}) {
      const disk = await get(id, { signal })
      if (!disk) return
      await free(disk, { signal })
      await remove(id, { signal })
    },

    /**
     * Google has no such step: a new disk is made, and takes the place of the old one, which then goes. Wherever it is cut
     * off, the labels of both disks tell where it was.
     */
    async rebuild(id, image, { signal } = {}) {
      const call = { signal }
      const instance = await instanceOf(id, call)
      if (!instance) throw notThere()
      if (instance.deletionProtection)
        throw new InfraError("protected", "fail", "The machine is protected: lift the protection first.")
      const { zone, name } = placed(id)
      const [old, meant] = [bootOf(instance), fromGcpLabels(instance.labels ?? {})]
      const fresh = (await list({ [FRESH]: name }, call)).find(one =>
        [lastOf(one.sourceImage), lastOf(one.sourceSnapshot)].includes(image),
      )
      const workspace = meant[LABELS.workspace]
      const labels = {
        [LABELS.managedBy]: MANAGER,
        ...(workspace === undefined ? {} : { [LABELS.workspace]: workspace }),
        ...(meant[LABELS.owner] === undefined ? {} : { [LABELS.owner]: meant[LABELS.owner] }),
        [DISK_ROLE]: "boot",
      }
      const source = diskSource(image)
      const disk =
        fresh ??
        (await insert(
          zone,
          {
            name: `${name.slice(0, 54)}-${randomBytes(4).toString("hex")}`,
            labels: toGcpLabels({ ...labels, [FRESH]: name }),
            // A disk keeps its size, as a machine does.
            ...(old?.diskSizeGb ? { sizeGb: String(old.diskSizeGb) } : {}),
            ...("image" in source
              ? { sourceImage: `projects/${project}/${source.image}` }
              : { sourceSnapshot: `projects/${project}/${source.snapshot}` }),
          },
          call,
        ))
      const freshId = pathOf(disk.selfLink ?? "")
      if (!old || lastOf(old.source) !== disk.name) {
        await machines().powerOff(id, signal ? { signal } : {})
        if (old?.deviceName) await detach(id, old.deviceName, call)
        await attach(id, freshId, { boot: true, autoDelete: true, deviceName: "boot" }, call)
      }
      await machines().powerOn(id, signal ? { signal } : {})
      await clearUp(zone, freshId, name, workspace, old ? pathOf(old.source ?? "") : null, call)
    },
  }

  /** Removes what the machine started from before, and what says that the new disk is on its way. */
  async function clearUp(
    zone: string,
    freshId: string,
    machine: string,
    workspace: string | undefined,
    old: string | null,
    call: Call,
  ): Promise<void> {
    const left = workspace === undefined ? [] : await list({ [LABELS.workspace]: workspace, [DISK_ROLE]: "boot" }, call)
    const unused = left.filter(one => (one.users ?? []).length === 0 && lastOf(one.name).startsWith(machine))
    const ids = new Set([...unused.map(one => pathOf(one.selfLink ?? "")), ...(old ? [old] : [])])
    for (const one of ids) if (one !== freshId) await remove(one, call)
    const disk = await get(freshId, call)
    const { [FRESH]: mark, ...labels } = fromGcpLabels(disk?.labels ?? {})
    if (!disk || mark === undefined) return
    await api.change(
      ({ disks }, requestId) =>
        disks.setLabels({
          ...{ project, zone, resource: placed(freshId).name, requestId },
          zoneSetLabelsRequestResource: { labels: toGcpLabels(labels), labelFingerprint: disk.labelFingerprint ?? "" },
        }),
      call,
    )
  }
}

export const notThere = () =>
  new InfraError("provider-not-found", "investigate", "Google does not have this machine: it may have been deleted.")
