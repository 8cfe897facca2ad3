import { mkdir, open, rm } from "node:fs/promises"
import { join } from "node:path"
import type { MachineVolume, VolumeFormat } from "../contract.ts"
import type { Qmp } from "./qmp.ts"
import { run } from "./run.ts"

/** The controller that every machine has for its volumes; as at Hetzner they are SCSI disks. */
export const volumeController = ["-device", "virtio-scsi-pci,id=volumes"]

/** What QEMU calls a volume, and the file below it. */
const nodeOf = (id: number) => `volume-${id}`
const fileNodeOf = (id: number) => `volume-${id}-file`
/** As seen from a machine's directory. */
const pathOf = (id: number) => `../../volumes/${id}.raw`

/** The files of volumes below the driver's directory. */
export interface Volumes {
  /** Makes the file of a volume, or grows it; one with a file system gets it when it is made. */
  make(volume: MachineVolume, format: VolumeFormat | null): Promise<void>
  remove(id: number): Promise<void>
}

export function createVolumes(directory: string): Volumes {
  const fileOf = (id: number): string => {
    if (!Number.isSafeInteger(id) || id < 0) throw new Error(`${id} is no id of a volume.`)
    return join(directory, `${id}.raw`)
  }
  return {
    async make({ id, bytes }, format) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = await open(fileOf(id), "a", 0o600)
      try {
        const { size } = await file.stat()
        if (size < bytes) await file.truncate(bytes)
        // Half a file system of an interrupted making is made again: nobody has had the volume yet.
        if (size === 0 && format !== null) await run(`mkfs.${format}`, ["-q", fileOf(id)])
      } finally {
        await file.close()
      }
    },
    remove: id => rm(fileOf(id), { force: true }),
  }
}

/** Arguments for the volumes a machine starts with. Pure. */
export function volumeArguments(volumes: MachineVolume[]): string[] {
  return volumes.flatMap(({ id }) => [
    ...["-blockdev", `driver=file,node-name=${fileNodeOf(id)},filename=${pathOf(id)},discard=unmap`],
    ...["-blockdev", `driver=raw,node-name=${nodeOf(id)},file=${fileNodeOf(id)},discard=unmap`],
    ...["-device", `scsi-hd,bus=volumes.0,id=${nodeOf(id)},drive=${nodeOf(id)},serial=${id},device_id=${id}`],
  ])
}

/** Gives a running machine exactly these volumes. */
export async function setVolumes(qmp: Qmp, wanted: MachineVolume[]): Promise<void> {
  const nodes = (await qmp.execute("query-named-block-nodes")) as { "node-name": string }[]
  const present = nodes.flatMap(node => /^volume-(\d+)$/.exec(node["node-name"])?.[1] ?? []).map(Number)
  for (const id of present) if (!wanted.some(one => one.id === id)) await takeAway(qmp, id)
  for (const { id } of wanted) if (!present.includes(id)) await plugIn(qmp, id)
}

async function plugIn(qmp: Qmp, id: number): Promise<void> {
  const file = { driver: "file", "node-name": fileNodeOf(id), filename: pathOf(id), discard: "unmap" }
  await qmp.execute("blockdev-add", file)
  await qmp.execute("blockdev-add", { driver: "raw", "node-name": nodeOf(id), file: fileNodeOf(id), discard: "unmap" })
  const [device, serial] = [nodeOf(id), String(id)]
  await qmp.execute("device_add", {
    ...{ driver: "scsi-hd", bus: "volumes.0", id: device, drive: device, serial, device_id: serial },
  })
}

async function takeAway(qmp: Qmp, id: number): Promise<void> {
  const gone = Promise.withResolvers<void>()
  const forget = qmp.onEvent(({ event, data }) => {
    if (event === "DEVICE_DELETED" && data?.device === nodeOf(id)) gone.resolve()
  })
  try {
    // Refused where only the file was added before something broke off.
    await qmp.execute("device_del", { id: nodeOf(id) }).catch(() => gone.resolve())
    await Promise.race([gone.promise, qmp.closed])
  } finally {
    forget()
  }
  await qmp.execute("blockdev-del", { "node-name": nodeOf(id) })
  await qmp.execute("blockdev-del", { "node-name": fileNodeOf(id) }).catch(() => {})
}
