import { existsSync } from "node:fs"
import { mkdir, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { MachineConfig } from "../contract.ts"
import { readJson, writeAtomically } from "./files.ts"
import type { ProcessIdentity } from "./processes.ts"
import { type Hardware, machineFiles } from "./qemu-arguments.ts"

/** What must be known about a machine to find it again; lies in its directory. */
export interface MachineRecord {
  version: 1
  id: number
  /** The image that the disk is a layer over. */
  imageId: number
  diskBytes: number
  /** Its disk was made and has never been started from: it may still become a copy of a template's. */
  fresh?: boolean
  /** Its disk was made to go on from a snapshot's, with the memory kept there. */
  wakes?: boolean
  /** Of the process it was last started as; absent where an earlier version did that. */
  hardware?: Hardware
  /** What it was last started with; null before the first start. Holds user-data, so the file is for its owner only. */
  config: MachineConfig | null
  /** Its process as far as known: a crash between start and note leaves null for a machine that runs. */
  process: ProcessIdentity | null
}

/** At the end of a directory's name: it gave its place to another one a moment ago. */
const ASIDE = ".aside"

/** The records of all machines below a directory. */
export interface MachineRecords {
  /** To be called first: what a crash has left aside goes back where nothing has taken its place. */
  open(): Promise<void>
  directoryOf(id: number): string
  get(id: number): Promise<MachineRecord | null>
  put(record: MachineRecord): Promise<void>
  /**
   * Puts a folder in the place of the machine's, with this record in it; the machine's own one stays aside until it is
   * known whether that went well: `undo` brings it back, `done` removes it.
   */
  replace(record: MachineRecord, folder: string): Promise<{ done(): Promise<void>; undo(): Promise<void> }>
  /** Removes the machine's whole directory. */
  remove(id: number): Promise<void>
  /** All machines that have a record, and the ids of directories without one: their making was interrupted. */
  list(): Promise<{ records: MachineRecord[]; unfinished: number[] }>
}

/** Keeps the records in `directory`, a subdirectory for each machine. */
export function createMachineRecords(directory: string): MachineRecords {
  const directoryOf = (id: number): string => {
    if (!Number.isSafeInteger(id) || id < 0) throw new Error(`${id} is no id of a machine.`)
    return join(directory, String(id))
  }
  const get = (id: number) => readJson<MachineRecord>(join(directoryOf(id), machineFiles.record))
  const asideOf = (id: number) => `${directoryOf(id)}${ASIDE}`
  return {
    directoryOf,
    open: async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      for (const name of (await readdir(directory)).filter(name => name.endsWith(ASIDE))) {
        const place = join(directory, name.slice(0, -ASIDE.length))
        if (existsSync(place)) await rm(join(directory, name), { recursive: true, force: true })
        else await rename(join(directory, name), place)
      }
    },
    get,
    put: async record => {
      await mkdir(directoryOf(record.id), { recursive: true, mode: 0o700 })
      await writeAtomically(join(directoryOf(record.id), machineFiles.record), JSON.stringify(record, null, 2))
    },
    replace: async (record, folder) => {
      const [place, aside] = [directoryOf(record.id), asideOf(record.id)]
      await writeAtomically(join(folder, machineFiles.record), JSON.stringify(record, null, 2))
      await rename(place, aside)
      await rename(folder, place)
      return {
        done: () => rm(aside, { recursive: true, force: true }),
        undo: async () => {
          await rm(place, { recursive: true, force: true })
          await rename(aside, place)
        },
      }
    },
    remove: id => rm(directoryOf(id), { recursive: true, force: true }),
    list: async () => {
      const ids = (await readdir(directory)).filter(name => /^\d+$/.test(name)).map(Number)
      const records: MachineRecord[] = []
      const unfinished: number[] = []
      for (const id of ids) {
        const record = await get(id)
        if (record === null) unfinished.push(id)
        else records.push(record)
      }
      return { records, unfinished }
    },
  }
}
