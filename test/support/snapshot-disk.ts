import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
const BLOCK = 4096

/** The disk of a snapshot of the local cloud, looked at and damaged from outside. */
export interface SnapshotDisk {
  /** The text of a file on it. */
  text(path: string): Promise<string>
  /** Overwrites the first block of a file's content; its size and time stay what they are. */
  damage(path: string): Promise<void>
  close(): Promise<void>
}

/** @param qcow2 its file, an ext4 filesystem without partitions */
export async function openSnapshotDisk(qcow2: string): Promise<SnapshotDisk> {
  const directory = await mkdtemp(join(tmpdir(), "fc-disk-"))
  const raw = join(directory, "disk.raw")
  await run("qemu-img", ["convert", "-O", "raw", qcow2, raw])
  const debugfs = async (command: string) =>
    (await run("debugfs", ["-R", command, raw], { maxBuffer: 64 * 1024 * 1024 })).stdout
  return {
    text: path => debugfs(`cat "${path}"`),
    async damage(path) {
      const [block = 0] = (await debugfs(`blocks "${path}"`)).trim().split(/\s+/).map(Number)
      if (block <= 0) throw new Error(`${path} has no block of its own on this disk`)
      await run("qemu-io", ["-c", `write -P 0x5a ${block * BLOCK} ${BLOCK}`, qcow2])
    },
    close: () => rm(directory, { recursive: true }),
  }
}
