import { existsSync } from "node:fs"
import { mkdir, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { allocatedBytes, placeCheaply, readJson, readText, writeAtomically } from "./files.ts"
import { run } from "./run.ts"

/** An image on disk: a directory with `disk.qcow2`, `image.json` and, for direct kernel boot, `kernel`, `initrd`, `cmdline`. */
export interface ImageRecord {
  version: 1
  id: number
  /** The image that this one's disk is a layer over; null when it stands alone. */
  backing: number | null
  diskBytes: number
  /** No longer wanted, and kept only as long as something is based on it. */
  removed: boolean
  /** Machines of it wait to be made somebody's where they are told to: templates can be made of it. */
  standby?: boolean
  /** Such a machine can practise being somebody before it is (standing.ts). */
  practises?: boolean
  /** It is a template of another image (templates.ts): files `memory` and `state` lie beside its disk. */
  template?: { qemu: string; madeAt: string }
}

/** What `Images.add` is told by whoever fills an image. */
export type NewImage = Pick<ImageRecord, "backing" | "diskBytes" | "standby" | "practises" | "template">

/** The images below a directory. */
export interface Images {
  /** Removes what interrupted copies left. */
  open(): Promise<void>
  get(id: number): Promise<ImageRecord | null>
  list(): Promise<ImageRecord[]>
  directoryOf(id: number): string
  /** How many layers lie below a disk that is based on this image. */
  depth(id: number): Promise<number>
  /** Makes an image: `fill` writes into a directory that takes the image's place only when all is well. */
  add(id: number, fill: (directory: string) => Promise<NewImage>): Promise<void>
  /** Notes that an image is no longer wanted. */
  markRemoved(id: number): Promise<void>
  /** Removes the unwanted images that neither a machine (`bases`) nor another image is based on. */
  collect(bases: number[]): Promise<void>
  /** Bytes that the image's own disk takes. */
  bytes(id: number): Promise<number>
}

/** How a machine's disk and an image's disk, which lie equally deep, name the disk of the image below them. */
export function backingName(imageId: number): string {
  return `../../images/${imageId}/disk.qcow2`
}

/** Makes the disk of a machine, a layer over an image, in the place of one that may be there. */
export async function layDisk(path: string, imageId: number, diskBytes: number): Promise<void> {
  const fresh = `${path}.new`
  const layer = ["-b", backingName(imageId), "-F", "qcow2"]
  await run("qemu-img", ["create", "-q", "-f", "qcow2", ...layer, fresh, String(diskBytes)])
  await rename(fresh, path)
}

const bootFiles = ["kernel", "initrd", "cmdline"]

/** Gives an image the files for direct kernel boot of another, as far as it has some. */
export async function placeBootFiles(from: string, to: string): Promise<void> {
  const present = await readdir(from)
  for (const name of bootFiles.filter(name => present.includes(name)))
    await placeCheaply(join(from, name), join(to, name))
}

/** How to boot machines of the image in `directory` (as QEMU will call it: `name`); null for boot from disk. */
export async function bootOf(
  directory: string,
  name: string,
): Promise<{ kernel: string; initrd: string | null; commandLine: string } | null> {
  const present = await readdir(directory)
  if (!present.includes("kernel")) return null
  return {
    kernel: `${name}/kernel`,
    initrd: present.includes("initrd") ? `${name}/initrd` : null,
    commandLine: (await readText(join(directory, "cmdline")))?.trim() ?? "console=ttyS0 root=/dev/vda",
  }
}

/** Which images nothing needs any more, those first that are based on others. Pure. */
export function unneeded(images: ImageRecord[], bases: number[]): number[] {
  const free = images.find(
    image => image.removed && !bases.includes(image.id) && !images.some(other => other.backing === image.id),
  )
  if (free === undefined) return []
  return [
    free.id,
    ...unneeded(
      images.filter(image => image !== free),
      bases,
    ),
  ]
}

/** Size in bytes that a machine sees of a disk file, and the file it is a layer over. */
export async function diskInfo(path: string): Promise<{ diskBytes: number; backing: string | null }> {
  const { stdout } = await run("qemu-img", ["info", "--force-share", "--output=json", path])
  const info = JSON.parse(stdout)
  return { diskBytes: info["virtual-size"], backing: info["backing-filename"] ?? null }
}

/** Makes an image of a directory that holds `disk.qcow2` and, for direct kernel boot, `kernel`, `initrd`, `cmdline`. */
export async function importImage(images: Images, id: number, from: string): Promise<void> {
  const disk = join(from, "disk.qcow2")
  if (!existsSync(disk)) throw new Error(`${from} holds no disk.qcow2; build the image first.`)
  const { diskBytes, backing } = await diskInfo(disk)
  if (backing !== null) throw new Error(`${disk} is a layer over ${backing}; an image must stand alone.`)
  await images.add(id, async directory => {
    await placeCheaply(disk, join(directory, "disk.qcow2"))
    await placeBootFiles(from, directory)
    const standby = await readText(join(from, "standby"))
    return { backing: null, diskBytes, standby: standby !== null, practises: Number(standby) >= 2 }
  })
}

/** Keeps images in `directory`, a subdirectory for each. */
export function createImages(directory: string): Images {
  const directoryOf = (id: number): string => {
    if (!Number.isSafeInteger(id) || id < 0) throw new Error(`${id} is no id of an image.`)
    return join(directory, String(id))
  }
  const recordPath = (id: number) => join(directoryOf(id), "image.json")
  const get = (id: number) => readJson<ImageRecord>(recordPath(id))
  const list = async () => {
    const names = (await readdir(directory)).filter(name => /^\d+$/.test(name))
    const records = await Promise.all(names.map(name => get(Number(name))))
    return records.filter(record => record !== null)
  }
  const put = (path: string, record: ImageRecord) => writeAtomically(path, JSON.stringify(record, null, 2))

  // A name that is no number is never taken for an image: neither while it is made nor while it is removed.
  const discard = async (id: number): Promise<void> => {
    const doomed = join(directory, `${id}.removed`)
    await rename(directoryOf(id), doomed)
    await rm(doomed, { recursive: true, force: true })
  }
  return {
    directoryOf,
    get,
    list,
    open: async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const leftovers = (await readdir(directory)).filter(name => !/^\d+$/.test(name))
      for (const name of leftovers) await rm(join(directory, name), { recursive: true, force: true })
    },
    depth: async id => {
      let depth = 0
      for (let next: number | null = id; next !== null; depth++) next = (await get(next))?.backing ?? null
      return depth
    },
    add: async (id, fill) => {
      const partial = join(directory, `${id}.partial`)
      await rm(partial, { recursive: true, force: true })
      await mkdir(partial, { mode: 0o700 })
      try {
        const made = await fill(partial)
        await put(join(partial, "image.json"), { version: 1, id, ...made, removed: false })
        await rename(partial, directoryOf(id))
      } catch (error) {
        await rm(partial, { recursive: true, force: true })
        throw error
      }
    },
    markRemoved: async id => {
      const record = await get(id)
      if (record !== null) await put(recordPath(id), { ...record, removed: true })
    },
    collect: async bases => {
      for (const id of unneeded(await list(), bases)) await discard(id)
    },
    bytes: id => allocatedBytes(join(directoryOf(id), "disk.qcow2")),
  }
}
