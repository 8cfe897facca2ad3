import { z } from "zod"
import { InfraError } from "../errors.ts"
import { BOOT_OF, bears, FRESH, fromTags, placed, toTags, VOLUME_CLASS, zonedId } from "../scaleway-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { Machines } from "./contract.ts"
import { orNull } from "./or-null.ts"
import { BlockVolume, bootOf, GB, Image, isBoot, type Server, toVolume, userOf } from "./scaleway-answers.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"
import { blockTags } from "./scaleway-questions.ts"

/** The smallest volume Scaleway sells, GB. */
const LEAST_GB = 5

type Call = { signal?: AbortSignal | undefined }

const instances = (zone: string) => `/instance/v1/zones/${zone}`
const block = (zone: string) => `/block/v1/zones/${zone}`

/** What machines need of the disks that they start from. */
interface BootDisks {
  volumeOf(id: string, call: Call): Promise<BlockVolume | null>
  removeBoot(server: Server, call: Call): Promise<void>
}

/** Block storage at Scaleway: volumes, and the one that a machine starts from. */
export function scalewayDisks(
  api: ScalewayApi,
  machines: () => Pick<Machines, "powerOff" | "powerOn">,
  serverOf: (id: string, call: Call) => Promise<Server | null>,
) {
  const { project, zones } = api.project

  const list = async (labels: Record<string, string>, call: Call, at: readonly string[] = zones) => {
    const found = await Promise.all(
      at.map(zone => api.list(`${block(zone)}/volumes?${blockTags(project, labels)}`, "volumes", BlockVolume, call)),
    )
    return found.flat().filter(({ tags }) => bears(tags, labels))
  }
  const get = (id: string, call: Call) => {
    const at = placed(id)
    return orNull(api.request("GET", `${block(at.zone)}/volumes/${at.id}`, BlockVolume, call))
  }
  const whenFree = (id: string, call: Call) =>
    api.until(async () => {
      const volume = await get(id, call)
      if (volume?.status === "error")
        throw new InfraError(
          "provider-action-failed",
          "retry",
          `Scaleway could not carry out what it was doing with the volume ${id}; try again.`,
        )
      return volume === null || volume.status === "available" ? { volume } : undefined
    }, call)

  async function make(zone: string, about: Record<string, unknown>, call: Call): Promise<BlockVolume> {
    const body = { ...about, project_id: project, perf_iops: VOLUME_CLASS.iops }
    const made = await api.request("POST", `${block(zone)}/volumes`, BlockVolume, { body, ...call })
    const { volume } = await whenFree(zonedId(zone, made.id), call)
    if (!volume) throw new InfraError("provider-failed", "retry", "Scaleway's API failed: try again in a few minutes.")
    return volume
  }
  const retag = (volume: BlockVolume, labels: Record<string, string>, call: Call) =>
    api.request("PATCH", `${block(volume.zone)}/volumes/${volume.id}`, Anything, {
      body: { tags: toTags(labels) },
      ...call,
    })

  const attach = (machine: string, volume: string, call: Call) => {
    const at = placed(machine)
    const body = { volume_id: placed(volume).id, volume_type: "sbs_volume", boot: false }
    return api.request("POST", `${instances(at.zone)}/servers/${at.id}/attach-volume`, Anything, { body, ...call })
  }
  /** Takes a volume off the machine that has it. */
  async function free(volume: BlockVolume, call: Call): Promise<void> {
    const user = userOf(volume)
    if (user !== null) {
      const path = `${instances(volume.zone)}/servers/${user}/detach-volume`
      await orNull(api.request("POST", path, Anything, { body: { volume_id: volume.id }, ...call }))
    }
    await whenFree(zonedId(volume.zone, volume.id), call)
  }
  const remove = (volume: BlockVolume, call: Call) =>
    orNull(api.request("DELETE", `${block(volume.zone)}/volumes/${volume.id}`, Anything, call))

  return {
    volumeOf: get,
    /**
     * Takes away what a machine that is off starts from, and what rebuilds of it have left. Marked before, so that it is
     * found again wherever this is cut off.
     */
    async removeBoot(server: Server, call: Call): Promise<void> {
      const boot = bootOf(server)
      const volume = boot === null ? null : await get(zonedId(server.zone, boot), call)
      if (volume) {
        await retag(volume, { ...fromTags(server.tags), [BOOT_OF]: server.id }, call)
        await free(volume, call)
      }
      for (const one of await list({ [BOOT_OF]: server.id }, call, [server.zone])) await remove(one, call)
    },

    async makeVolume(machineId, { name, gb, labels }, { signal } = {}) {
      const size = Math.max(LEAST_GB, Math.ceil(gb)) * GB
      const { zone } = placed(machineId)
      const made = await make(zone, { name, from_empty: { size }, tags: toTags(labels) }, { signal })
      await attach(machineId, zonedId(zone, made.id), { signal })
      return { ...toVolume(made), machine: machineId }
    },
    async listVolumes(labels, { signal } = {}) {
      // What machines start from bears labels of ours where a step is under way; it is no volume of anybody's.
      const all = await list({ ...labels, [LABELS.managedBy]: MANAGER }, { signal })
      return all.filter(one => !isBoot(one)).map(toVolume)
    },
    async attachVolume(id, machineId, { signal } = {}) {
      const volume = await get(id, { signal })
      if (volume && toVolume(volume).machine === machineId) return
      if (volume) await free(volume, { signal })
      await attach(machineId, id, { signal })
    },
    async removeVolume(id, { signal } = {}) {
      const volume = await get(id, { signal })
      if (!volume) return
      await free(volume, { signal })
      await remove(volume, { signal })
    },

    /**
     * Scaleway has no such step: a new volume is made, and takes the place of the old one in one request, which then goes.
     * Wherever it is cut off, tags of both tell where it was.
     */
    async rebuild(id, image, { signal } = {}) {
      const call = { signal }
      const server = await serverOf(id, call)
      if (!server) throw notThere()
      if (server.protected)
        throw new InfraError("protected", "fail", "The machine is protected: lift the protection first.")
      const { zone } = server
      const made = await api.request(
        "GET",
        `${instances(zone)}/images/${image}`,
        z.object({ image: Image }).transform(one => one.image),
        call,
      )
      const source = made.root_volume.id
      const oldId = bootOf(server)
      const old = oldId === null ? null : await get(zonedId(zone, oldId), call)
      const labels = { ...workspaceOf(fromTags(server.tags)), [BOOT_OF]: server.id }
      const marked = await list({ [BOOT_OF]: server.id, [FRESH]: "yes" }, call, [zone])
      const fresh =
        marked.find(one => one.parent_snapshot_id === source) ??
        (await make(
          zone,
          {
            name: server.name,
            // A disk keeps its size, as a machine does.
            from_snapshot: { snapshot_id: source, ...(old ? { size: old.size } : {}) },
            tags: toTags({ ...labels, [FRESH]: "yes" }),
          },
          call,
        ))
      if (oldId !== fresh.id) {
        await machines().powerOff(id, signal ? { signal } : {})
        if (old) await retag(old, labels, call)
        const others = Object.entries(server.volumes)
          .filter(([place]) => place !== "0")
          .map(([place, { id: volume, volume_type }]) => [place, { id: volume, volume_type }])
        const volumes = { "0": { id: fresh.id, volume_type: "sbs_volume" }, ...Object.fromEntries(others) }
        await api.request("PATCH", `${instances(zone)}/servers/${server.id}`, Anything, { body: { volumes }, ...call })
      }
      await machines().powerOn(id, signal ? { signal } : {})
      for (const one of await list({ [BOOT_OF]: server.id }, call, [zone])) {
        if (one.id === fresh.id) continue
        await free(one, call)
        await remove(one, call)
      }
      await retag(fresh, labels, call)
    },
  } satisfies BootDisks & Pick<Machines, "makeVolume" | "listVolumes" | "attachVolume" | "removeVolume" | "rebuild">
}

/** Labels of a machine that its disk bears too. */
const workspaceOf = (labels: Record<string, string>) =>
  Object.fromEntries(
    [LABELS.managedBy, LABELS.workspace, LABELS.owner].flatMap(key => (labels[key] ? [[key, labels[key]]] : [])),
  )

export const notThere = () =>
  new InfraError("provider-not-found", "investigate", "Scaleway does not have this machine: it may have been deleted.")
