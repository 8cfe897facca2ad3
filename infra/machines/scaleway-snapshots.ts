import { z } from "zod"
import { InfraError } from "../errors.ts"
import { bears, toTags } from "../scaleway-names.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { Machines } from "./contract.ts"
import { orNull } from "./or-null.ts"
import { BlockSnapshot, bootOf, Image, type Server, toSnapshot } from "./scaleway-answers.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"
import { notThere } from "./scaleway-disks.ts"
import { blockTags, instanceTags } from "./scaleway-questions.ts"

type Call = { signal?: AbortSignal | undefined }

export const OneImage = z.object({ image: Image }).transform(one => one.image)

/**
 * Snapshots at Scaleway: machines are made from images, and an image is made over a snapshot of a volume. Both together are
 * one of ours, by the UUID of the image. Their labels are the image's; the other half bears those that it was made with.
 */
export function scalewaySnapshots(
  api: ScalewayApi,
  serverOf: (id: string, call: Call) => Promise<Server | null>,
): Pick<Machines, "createSnapshot" | "listSnapshots" | "labelSnapshot" | "removeSnapshot"> {
  const { project, zones } = api.project
  const images = (zone: string) => `/instance/v1/zones/${zone}/images`
  const disks = (zone: string) => `/block/v1/zones/${zone}/snapshots`
  const imageOf = (zone: string, id: string, call: Call) =>
    orNull(api.request("GET", `${images(zone)}/${id}`, OneImage, call))
  const diskOf = (zone: string, id: string, call: Call) =>
    orNull(api.request("GET", `${disks(zone)}/${id}`, BlockSnapshot, call))

  /** Of the id alone nobody can tell the zone. */
  async function whereIs<T>(look: (zone: string) => Promise<T | null>): Promise<{ zone: string; found: T } | null> {
    const all = await Promise.all(zones.map(async zone => ({ zone, found: await look(zone) })))
    return all.find((one): one is { zone: string; found: Awaited<T> & T } => one.found !== null) ?? null
  }

  async function of(zone: string, wanted: Record<string, string>, call: Call) {
    // Images of others are in the project too.
    const labels = { ...wanted, [LABELS.managedBy]: MANAGER }
    const [made, copies] = await Promise.all([
      api.list(`${images(zone)}?${instanceTags(project, labels)}&public=false`, "images", Image, call),
      // An image's labels may have become others than its copy's: the project's copies, and then those that fit.
      api.list(`${disks(zone)}?${blockTags(project, {})}`, "snapshots", BlockSnapshot, call),
    ])
    const fitting = made.filter(({ tags }) => bears(tags, labels))
    const whole = fitting.map(image => toSnapshot(image, copies.find(({ id }) => id === image.root_volume.id) ?? null))
    // Those of an image are `in_use`, so what is over is what a making or a removing that was cut off has left.
    const left = copies.filter(({ status, tags }) => status !== "in_use" && bears(tags, labels))
    const known = new Set(made.map(image => image.root_volume.id))
    return [...whole, ...left.filter(({ id }) => !known.has(id)).map(copy => toSnapshot(null, copy))]
  }

  return {
    async createSnapshot(machineId, { description, labels }, { signal, begun } = {}) {
      const call = { signal }
      const server = await serverOf(machineId, call)
      const boot = server && bootOf(server)
      if (!server || boot === null) throw notThere()
      const { zone, arch } = server
      const common = { name: description, tags: toTags(labels) }
      const copy = await api.request("POST", disks(zone), BlockSnapshot, {
        body: { ...common, volume_id: boot, project_id: project, public: false },
        ...call,
      })
      // The copy is of the disk as it is now, however long the copying takes.
      begun?.()
      await api.until(async () => {
        const seen = await diskOf(zone, copy.id, call)
        if (seen === null || seen.status === "error") throw unproven(seen?.status ?? "gone")
        return seen.status === "creating" ? undefined : seen
      }, call)
      const body = { ...common, root_volume: copy.id, arch, project, public: false }
      const image = await api.request("POST", images(zone), OneImage, { body, ...call })
      const made = await api.until(async () => {
        const seen = await imageOf(zone, image.id, call)
        return seen?.state === "creating" ? undefined : { seen }
      }, call)
      const snapshot = made.seen && toSnapshot(made.seen, await diskOf(zone, copy.id, call))
      if (snapshot?.state !== "available") throw unproven(made.seen?.state ?? "gone")
      return snapshot
    },
    async listSnapshots(labels, { signal } = {}) {
      return (await Promise.all(zones.map(zone => of(zone, labels, { signal })))).flat()
    },
    async labelSnapshot(id, labels, { signal } = {}) {
      const at = await whereIs(zone => imageOf(zone, id, { signal }))
      if (!at)
        throw new InfraError("provider-not-found", "investigate", `Scaleway does not have the snapshot ${id} any more.`)
      await api.request("PATCH", `${images(at.zone)}/${id}`, Anything, { body: { tags: toTags(labels) }, signal })
    },
    async removeSnapshot(id, { signal } = {}) {
      const call = { signal }
      const image = await whereIs(zone => imageOf(zone, id, call))
      if (image) await orNull(api.request("DELETE", `${images(image.zone)}/${id}`, Anything, call))
      const copyId = image ? image.found.root_volume.id : id
      const copy = await whereIs(zone => diskOf(zone, copyId, call))
      if (!copy) return
      // For a moment it is still the image's.
      await api.until(async () => {
        const seen = await diskOf(copy.zone, copyId, call)
        return seen?.status === "in_use" || seen?.status === "creating" ? undefined : { seen }
      }, call)
      await orNull(api.request("DELETE", `${disks(copy.zone)}/${copyId}`, Anything, call))
    },
  }
}

const unproven = (state: string) =>
  new InfraError(
    "snapshot-unproven",
    "retry",
    `Scaleway reports the new snapshot as "${state}", not as available; try again.`,
  )
