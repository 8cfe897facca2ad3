import { statfs } from "node:fs/promises"
import { join } from "node:path"
import { asRoot } from "./as-root.ts"
import { usedBytes } from "./boot-files.ts"
import { ImageError } from "./errors.ts"
import { run } from "./run.ts"

const MiB = 1024 * 1024
/** Room on the disk before it grows to the machine's: it does so half a minute after the start. */
const spareBytes = 1_536 * MiB
/** What one build takes at its peak: the root filesystem, the raw disk, and the two copies of it. */
export const buildBytes = 9_000 * MiB

/** Refuses early what would fail late. */
export async function checkRoom(directory: string, needed = buildBytes): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  if (free >= needed) return
  const GB = (bytes: number) => (bytes / 1e9).toFixed(1)
  throw new ImageError(
    "no-room",
    `${directory} has ${GB(free)} GB free and an image build needs ${GB(needed)} GB; make room or set another folder.`,
  )
}

/**
 * Makes `disk.qcow2` in `target` from the system in `root`: a file system without partitions, so that it can grow in
 * one step. No checksums of metadata: they cost an emulated machine, and the provider's storage has its own.
 */
export async function makeDisk(root: string, work: string, target: string): Promise<void> {
  const raw = join(work, "disk.raw")
  const megabytes = Math.ceil((1.08 * (await usedBytes(root)) + spareBytes) / MiB)
  const features = "^metadata_csum,^64bit,^has_journal"
  const extended = "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard"
  const options = ["-q", "-F", "-t", "ext4", "-m", "1", "-L", "foozol", "-O", features, "-E", extended]
  await run(asRoot(["mke2fs", ...options, "-d", root, raw, `${megabytes}M`]))
  // The journal is added afterwards: with it inside, filling the file system is twice as slow.
  await run(["tune2fs", "-j", "-J", "size=64", raw])
  await run(["qemu-img", "convert", "-m", "4", "-f", "raw", "-O", "qcow2", raw, join(target, "disk.qcow2")])
}

/** Bytes of the disk when it is compressed for sending it elsewhere. */
export async function compressedBytes(target: string, work: string): Promise<number> {
  const copy = join(work, "compressed.qcow2")
  const options = ["-c", "-m", "4", "-o", "compression_type=zstd"]
  await run(["qemu-img", "convert", ...options, "-O", "qcow2", join(target, "disk.qcow2"), copy])
  return Number(await run(["stat", "--format=%s", copy]))
}
