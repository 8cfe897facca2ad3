import { basename, join } from "node:path"
import { copyCheaply } from "./files.ts"
import { backingName, type Images, placeBootFiles } from "./images.ts"
import { moveKept } from "./kept.ts"
import { machineFiles } from "./qemu-arguments.ts"
import type { Qmp, QmpEvent } from "./qmp.ts"
import type { MachineRecord } from "./records.ts"
import { run } from "./run.ts"

/** Where a disk's content goes. */
export interface SnapshotTarget {
  /** The new image's directory, and how QEMU in the machine's directory calls it. */
  directory: string
  name: string
  diskBytes: number
  /** The image below the machine's disk, to copy the machine's own layer only; null copies the whole disk. */
  backing: number | null
}

const job = "snapshot"

/** Makes an image of a machine's disk; `qmp` is the connection to the machine if it is on. */
export async function snapshotMachine(options: {
  images: Images
  imageId: number
  record: MachineRecord
  machineDirectory: string
  qmp: Qmp | null
  maxLayers: number
  /** The memory that was kept when it fell asleep goes along; where there is none, the image is its disk alone. */
  withMemory: boolean
}): Promise<void> {
  const { images, imageId, record, machineDirectory, qmp, withMemory } = options
  const isLayer = (await images.depth(record.imageId)) < options.maxLayers
  const backing = isLayer ? record.imageId : null
  const { diskBytes } = record
  await images.add(imageId, async directory => {
    await placeBootFiles(images.directoryOf(record.imageId), directory)
    const target = { directory, name: `../../images/${basename(directory)}`, diskBytes, backing }
    if (qmp !== null) await copyRunningDisk(qmp, target)
    else await copyStoppedDisk(machineDirectory, target)
    if (withMemory && qmp === null) await moveKept(machineDirectory, directory)
    return { backing, diskBytes }
  })
}

/**
 * Copies the disk of a running machine as it is at this moment, while the machine goes on writing.
 * What the guest has not yet written out is not in it, as after a power cut.
 */
export async function copyRunningDisk(qmp: Qmp, target: SnapshotTarget): Promise<void> {
  await abandonSnapshot(qmp)
  const layer = target.backing === null ? [] : ["-b", backingName(target.backing), "-F", "qcow2"]
  const path = join(target.directory, machineFiles.disk)
  await run("qemu-img", ["create", "-q", "-f", "qcow2", ...layer, path, String(target.diskBytes)])
  const file = { driver: "file", filename: `${target.name}/${machineFiles.disk}` }
  await qmp.execute("blockdev-add", { driver: "qcow2", "node-name": job, file })
  const finished = Promise.withResolvers<string | null>()
  const forget = qmp.onEvent(event => {
    const end = jobEnd(event)
    if (end !== undefined) finished.resolve(end)
  })
  qmp.closed.then(() => finished.resolve("the machine went off"))
  try {
    const sync = target.backing === null ? "full" : "top"
    await qmp.execute("blockdev-backup", { "job-id": job, device: "disk", target: job, sync })
    const failure = await finished.promise
    if (failure !== null) throw new Error(`The disk could not be copied: ${failure}.`)
  } finally {
    forget()
    // Fails when the machine went off, and then nothing is left to let go of.
    await qmp.execute("blockdev-del", { "node-name": job }).catch(() => {})
  }
}

/** Copies the disk of a stopped machine. */
export async function copyStoppedDisk(machineDirectory: string, target: SnapshotTarget): Promise<void> {
  const from = join(machineDirectory, machineFiles.disk)
  const to = join(target.directory, machineFiles.disk)
  // A layer names the image below it relative to itself, and that name is right in both places.
  if (target.backing !== null) await copyCheaply(from, to)
  else await run("qemu-img", ["convert", "-O", "qcow2", from, to])
}

/** Ends a copy that an earlier local cloud began and did not live to finish. */
export async function abandonSnapshot(qmp: Qmp): Promise<void> {
  const jobs = (await qmp.execute("query-block-jobs")) as Array<{ device: string }>
  if (jobs.some(({ device }) => device === job)) {
    const ended = Promise.withResolvers<void>()
    const forget = qmp.onEvent(event => jobEnd(event) !== undefined && ended.resolve())
    await qmp.execute("block-job-cancel", { device: job, force: true }).catch(() => ended.resolve())
    await Promise.race([ended.promise, qmp.closed])
    forget()
  }
  // Refused when there is no such node, which is the usual case.
  await qmp.execute("blockdev-del", { "node-name": job }).catch(() => {})
}

/** Undefined for other events; null for success; else QEMU's words for what went wrong. */
function jobEnd(event: QmpEvent): string | null | undefined {
  if (event.data?.device !== job) return undefined
  if (event.event === "BLOCK_JOB_CANCELLED") return "the copy was cancelled"
  if (event.event !== "BLOCK_JOB_COMPLETED") return undefined
  return typeof event.data.error === "string" ? event.data.error : null
}
