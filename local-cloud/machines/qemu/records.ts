import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import type { MachineConfig } from "../contract.ts"
import { readJson, writeAtomically } from "./files.ts"
import type { ProcessIdentity } from "./processes.ts"
import { machineFiles } from "./qemu-arguments.ts"

/** What must be known about a machine to find it again; lies in its directory. */
export interface MachineRecord {
  version: 1
  id: number
  /** The image that the disk is a layer over. */
  imageId: number
  diskBytes: number
  /** Its disk was made and has never been started from: it may still become a copy of a template's. */
  fresh?: boolean
  /** What it was last started with; null before the first start. Holds user-data, so the file is for its owner only. */
  config: MachineConfig | null
  /** Its process as far as known: a crash between start and note leaves null for a machine that runs. */
  process: ProcessIdentity | null
}

/** The records of all machines below a directory. */
export interface MachineRecords {
  directoryOf(id: number): string
  get(id: number): Promise<MachineRecord | null>
  put(record: MachineRecord): Promise<void>
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
  return {
    directoryOf,
    get,
    put: async record => {
      await mkdir(directoryOf(record.id), { recursive: true, mode: 0o700 })
      await writeAtomically(join(directoryOf(record.id), machineFiles.record), JSON.stringify(record, null, 2))
    },
    remove: id => rm(directoryOf(id), { recursive: true, force: true }),
    list: async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
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
