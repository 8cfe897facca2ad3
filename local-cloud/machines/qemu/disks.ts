import { mkdir } from "node:fs/promises"
import type { Machines } from "../contract.ts"
import type { QemuContext } from "./context.ts"
import { allocatedBytes } from "./files.ts"
import { importImage, layDisk } from "./images.ts"
import { dropKept } from "./kept.ts"
import { checkDisk, freeDisk, needingDisk } from "./room.ts"
import { run } from "./run.ts"
import { snapshotMachine } from "./snapshot.ts"
import { removeTemplatesOf } from "./templates.ts"

/** The part of the driver that works on disks and images. */
export interface Disks
  extends Pick<Machines, "createDisk" | "resizeDisk" | "createImage" | "importImage" | "dropMemory" | "removeImage"> {
  /** Removes the images that nobody wants and nothing is based on. */
  collectImages(): Promise<void>
}

/** Makes that part. */
export function createDisks(context: QemuContext): Disks {
  const { images, machines, running, alone, inTurn, isOn, fileOf, recordOf } = context

  const collectImages = (): Promise<void> =>
    inTurn("images", async () => images.collect((await machines.list()).records.map(record => record.imageId)))

  const createImage = async (id: number, imageId: number, withMemory: boolean): Promise<void> => {
    const record = await recordOf(id)
    checkDisk(await allocatedBytes(fileOf(id, "disk")), await freeDisk(context.directory), context.reserve.diskBytes)
    await snapshotMachine({
      images,
      imageId,
      record,
      machineDirectory: machines.directoryOf(id),
      qmp: isOn(id) ? (running.get(id)?.qmp() ?? null) : null,
      withMemory,
      maxLayers: context.maxLayers,
    })
  }

  const replaceDisk = async (id: number, imageId: number, diskBytes: number, wakes: boolean): Promise<void> => {
    const image = await images.get(imageId)
    if (image === null) throw new Error(`There is no image ${imageId} on this host; import it first.`)
    if (diskBytes < image.diskBytes) {
      throw new Error(`Image ${imageId} needs a disk of ${image.diskBytes} bytes; ${diskBytes} are too few.`)
    }
    await mkdir(machines.directoryOf(id), { recursive: true, mode: 0o700 })
    await dropKept(machines.directoryOf(id))
    await layDisk(fileOf(id, "disk"), imageId, diskBytes)
    const config = (await machines.get(id))?.config ?? null
    const begins = wakes ? { fresh: true, wakes } : { fresh: true }
    await machines.put({ version: 1, id, imageId, diskBytes, ...begins, config, process: null })
  }

  return {
    collectImages,
    createDisk: (id, imageId, diskBytes, { wakes = false } = {}) =>
      alone(id, async () => {
        if (isOn(id)) throw new Error(`Machine ${id} is on; turn it off before its disk is replaced.`)
        await needingDisk(`machine ${id} got no disk`, () =>
          inTurn("images", () => replaceDisk(id, imageId, diskBytes, wakes)),
        )
        // The image that the disk was based on before may have waited for this.
        await collectImages()
      }),
    resizeDisk: (id, diskBytes) =>
      alone(id, async () => {
        if (isOn(id)) throw new Error(`Machine ${id} is on; turn it off before its disk is resized.`)
        const record = await recordOf(id)
        if (diskBytes < record.diskBytes) throw new Error(`The disk of machine ${id} cannot become smaller.`)
        // What it remembers of its disk would be wrong.
        await dropKept(machines.directoryOf(id))
        await run("qemu-img", ["resize", "-q", "-f", "qcow2", fileOf(id, "disk"), String(diskBytes)])
        await machines.put({ ...record, diskBytes })
      }),
    createImage: (id, imageId, { withMemory = false } = {}) =>
      alone(id, async () => {
        if ((await images.get(imageId)) === null) {
          await needingDisk(`image ${imageId} could not be written, and its half was removed`, () =>
            createImage(id, imageId, withMemory),
          )
        }
        return { bytes: await images.bytes(imageId) }
      }),
    dropMemory: imageId => inTurn("images", () => dropKept(images.directoryOf(imageId))),
    removeImage: async imageId => {
      await inTurn("images", async () => {
        await dropKept(images.directoryOf(imageId))
        await images.markRemoved(imageId)
        await removeTemplatesOf(images, imageId)
      })
      await collectImages()
    },
    importImage: (imageId, directory) =>
      inTurn(`import ${imageId}`, async () => {
        const known = await images.get(imageId)
        if (known === null) {
          await needingDisk(`image ${imageId} could not be imported`, () => importImage(images, imageId, directory))
        }
        const diskBytes = (known ?? (await images.get(imageId)))?.diskBytes ?? 0
        return { bytes: await images.bytes(imageId), diskBytes }
      }),
  }
}
