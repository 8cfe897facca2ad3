import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { open, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { readJson, writeAtomically } from "./files.ts"
import { type Hardware, type QemuHost, qemuArguments } from "./qemu-arguments.ts"
import type { MachineRecord } from "./records.ts"
import { nobodysMachine, type TemplateKind } from "./templates.ts"

/** The folder with a machine's memory: in that of a machine that is off, or in that of the image it sleeps in. */
export const KEPT = "kept"
/** The memory of a machine that sleeps, the state of its devices, and what has to be known of the two. */
export const keptFiles = { memory: "memory", state: "state", record: "kept.json" } as const

/** What a kept memory is; without this record it is none. */
interface KeptRecord {
  version: 1
  /** Digest of all that the machine which goes on with it must have alike. */
  fits: string
  hardware: Hardware
  /** Size (bytes) and time of the last change (ns) of each file: one that was changed since is damaged. */
  files: Record<"memory" | "state", string>
}

/** What a memory must fit: a machine of one size on one version of QEMU that boots alike. */
export interface KeptKind {
  size: TemplateKind["size"]
  hardware: Hardware
  host: Pick<QemuHost, "accel" | "metadataConnector">
  /** What QEMU says that it is. */
  qemu: string
  boot: QemuHost["boot"]
}

/** The kind of a machine. Pure. */
export function digestOf({ size, hardware, host, qemu, boot }: KeptKind): string {
  // Where these files lie differs between a machine and the one that goes on with its memory; what they are does not.
  const named = boot && { kernel: "kernel", initrd: boot.initrd && "initrd", commandLine: boot.commandLine }
  const memory = { path: keptFiles.memory, role: "kept" } as const
  const args = qemuArguments(nobodysMachine(size), { ...host, forwards: [], boot: named, hardware, memory })
  return createHash("sha256")
    .update(JSON.stringify([size.diskBytes, qemu, args]))
    .digest("hex")
}

/** Notes what lies in a folder, once it is on the disk: from now on it is a memory to go on with. */
export async function noteKept(folder: string, kind: KeptKind): Promise<void> {
  const files = { memory: "", state: "" }
  for (const name of ["memory", "state"] as const) {
    const file = await open(join(folder, name), "r+")
    try {
      await file.chmod(0o600)
      await file.sync()
    } finally {
      await file.close()
    }
    files[name] = await markOf(join(folder, name))
  }
  const record: KeptRecord = { version: 1, fits: digestOf(kind), hardware: kind.hardware, files }
  await writeAtomically(join(folder, keptFiles.record), JSON.stringify(record))
}

/**
 * The hardware that the memory in a machine's or an image's folder goes on with; null where there is none.
 * @param kindOf the kind of the machine that shall go on with it, with that hardware
 * @throws when it does not fit that machine, or is damaged
 */
export async function fittingHardware(
  directory: string,
  kindOf: (hardware: Hardware) => KeptKind,
): Promise<Hardware | null> {
  const folder = join(directory, KEPT)
  if (!existsSync(folder)) return null
  const record = await readJson<KeptRecord>(join(folder, keptFiles.record))
  if (record === null) throw new Error("its memory was gone on with before")
  if (record.fits !== digestOf(kindOf(record.hardware))) throw new Error("its memory is another kind of machine's")
  for (const name of ["memory", "state"] as const) {
    const mark = await markOf(join(folder, name)).catch(() => "missing")
    if (mark !== record.files[name]) throw new Error(`its ${name} is damaged`)
  }
  return record.hardware
}

/** Nobody goes on with a memory any more; a machine that has begun to has its files open. */
export const spendKept = (directory: string): Promise<void> =>
  rm(join(directory, KEPT, keptFiles.record), { force: true })

/** Removes the memory that lies in a machine's or an image's folder, if there is one. */
export const dropKept = (directory: string): Promise<void> =>
  rm(join(directory, KEPT), { recursive: true, force: true })

/** Moves a memory from one folder to the other, where it takes the place of what is there; false where there is none. */
export async function moveKept(from: string, to: string): Promise<boolean> {
  if (!existsSync(join(from, KEPT))) return false
  await dropKept(to)
  await rename(join(from, KEPT), join(to, KEPT))
  return true
}

const markOf = async (path: string): Promise<string> => {
  const { size, mtimeNs } = await stat(path, { bigint: true })
  return `${size} ${mtimeNs}`
}

/** Size of a machine as its record and configuration have it. */
export const sizeOf = (
  { diskBytes }: Pick<MachineRecord, "diskBytes">,
  { cores, memoryBytes }: Pick<TemplateKind["size"], "cores" | "memoryBytes">,
): TemplateKind["size"] => ({ cores, memoryBytes, diskBytes })
