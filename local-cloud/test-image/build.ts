import { createHash } from "node:crypto"
import { chmod, cp, link, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { run } from "../machines/qemu/run.ts"
import { type ArchiveEntry, cpioArchive } from "./cpio.ts"
import { loadOrder, moduleBytes } from "./kernel-modules.ts"
import { fetchPackages } from "./packages.ts"

const sources = fileURLToPath(new URL(".", import.meta.url))
const rootBytes = 64 * 1024 * 1024
const modules = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "button", "evdev"]
const commandLine = "console=ttyS0 root=/dev/vda quiet loglevel=4 panic=5 tsc=reliable no_timer_check"

/** Where the image goes, and who hears of the progress. */
export interface TestImageOptions {
  /** Kept between runs; one subdirectory for each version of the image. */
  cacheDirectory: string
  log: (line: string) => void
}

/**
 * Builds a small bootable system for tests (`disk.qcow2`, `kernel`, `initrd`, `cmdline`) and returns its directory.
 * It answers HTTP on the ports 443, 6080 and 5900 with `/state.json`, and powers off at the ACPI button.
 * Needs a Debian system (apt-get, dpkg-deb, mke2fs, qemu-img) but no root rights. A second call returns what the first one built.
 */
export async function buildTestImage(options: TestImageOptions): Promise<string> {
  const target = join(options.cacheDirectory, `test-image-${await contentHash()}`)
  const isBuilt = await readFile(join(target, "cmdline")).then(
    () => true,
    () => false,
  )
  if (isBuilt) return target
  await mkdir(options.cacheDirectory, { recursive: true })
  const work = await mkdtemp(join(options.cacheDirectory, "building-"))
  try {
    options.log("fetching the kernel and busybox")
    const packages = await fetchPackages(work)
    const result = join(work, "result")
    await mkdir(result)
    await cp(packages.kernel, join(result, "kernel"))
    await writeFile(join(result, "initrd"), await initialRamDisk(packages.modules, packages.busybox))
    options.log("making the disk")
    await makeDisk(work, packages.busybox, join(result, "disk.qcow2"))
    await writeFile(join(result, "cmdline"), commandLine)
    await rename(result, target).catch(async error => {
      // Two builds at once: whoever comes second uses the first one's result, which is the same.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
    })
    return target
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function contentHash(): Promise<string> {
  const hash = createHash("sha256")
  const entries = await readdir(sources, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const file of files.sort()) hash.update(`${relative(sources, file)}\n`).update(await readFile(file))
  return hash.digest("hex").slice(0, 16)
}

async function initialRamDisk(moduleDirectory: string, busybox: string): Promise<Buffer> {
  const files = await loadOrder(moduleDirectory, modules)
  const names = files.map((_, position) => `${String(position).padStart(2, "0")}.ko`)
  const entries: ArchiveEntry[] = [
    ...["bin", "dev", "proc", "sys", "root", "modules"].map(path => ({ path, mode: 0o040755 })),
    { path: "init", mode: 0o100755, content: await readFile(join(sources, "initramfs/init")) },
    { path: "bin/busybox", mode: 0o100755, content: await readFile(busybox) },
    { path: "modules/order", mode: 0o100644, content: Buffer.from(names.map(name => `${name}\n`).join("")) },
  ]
  for (const [position, file] of files.entries()) {
    entries.push({ path: `modules/${names[position]}`, mode: 0o100644, content: await moduleBytes(file) })
  }
  return gzipSync(cpioArchive(entries), { level: 6 })
}

async function makeDisk(work: string, busybox: string, target: string): Promise<void> {
  const root = join(work, "root")
  await cp(join(sources, "rootfs"), root, { recursive: true })
  await Promise.all(
    ["bin", "dev", "proc", "sys", "tmp", "var/log"].map(path => mkdir(join(root, path), { recursive: true })),
  )
  await cp(busybox, join(root, "bin/busybox"))
  await chmod(join(root, "bin/busybox"), 0o755)
  const { stdout } = await run(busybox, ["--list"])
  for (const name of stdout.split("\n").filter(name => name !== "" && name !== "busybox")) {
    await link(join(root, "bin/busybox"), join(root, "bin", name))
  }
  await symlink("bin", join(root, "sbin"))
  // Every page name that a test may ask for leads to the one file written at boot.
  await symlink("/tmp/state.json", join(root, "www/state.json"))
  await symlink("/tmp/state.json", join(root, "www/index.html"))
  const raw = join(work, "disk.raw")
  await run("mke2fs", ["-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, raw, `${rootBytes / 1024}k`])
  await run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, target])
}
