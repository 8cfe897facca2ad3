import { existsSync } from "node:fs"
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { asRoot } from "./as-root.ts"
import { type RamDiskEntry, ramDisk } from "./cpio.ts"
import { ImageError } from "./errors.ts"
import { run } from "./run.ts"

/** Drivers of a virtual machine's disk, network, entropy and power button; nothing on the machine looks for hardware. */
const modules = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "af_packet", "ext4", "button", "evdev"]

/** Files of a module, packed or not. */
const moduleFile = /\.ko(\.xz|\.zst)?$/

/**
 * `quiet` and no status: each line on an emulated serial port costs time. The network card keeps its plain name, since
 * nothing renames it.
 */
export const commandLine = [
  "console=ttyS0 root=/dev/vda rootflags=noatime quiet loglevel=3 panic=5 net.ifnames=0",
  "systemd.show_status=false systemd.log_level=warning audit=0 apparmor=0 selinux=0",
  "tsc=reliable no_timer_check random.trust_cpu=on cryptomgr.notests nowatchdog",
].join(" ")

/** Writes `kernel`, `initrd`, `cmdline` and, where its machines can stand by, `standby` for the system in `root` into `target`; returns the kernel's release. */
export async function writeBootFiles(root: string, target: string): Promise<string> {
  const [release] = await readdir(join(root, "usr/lib/modules"))
  if (release === undefined) throw new ImageError("no-kernel", "The base system holds no kernel modules.")
  await copyFile(join(root, "boot", `vmlinuz-${release}`), join(target, "kernel"))
  await writeFile(join(target, "initrd"), await initialRamDisk(root, release))
  await writeFile(join(target, "cmdline"), `${commandLine}\n`)
  // A word to the local cloud: machines of this image can wait to be somebody's, be copied meanwhile, and practise (2).
  if (existsSync(join(root, "usr/lib/foozol/wake"))) await writeFile(join(target, "standby"), "2\n")
  return release
}

async function initialRamDisk(root: string, release: string): Promise<Buffer> {
  const directory = join(root, "usr/lib/modules", release)
  const files = loadOrder(await readFile(join(directory, "modules.dep"), "utf8"), modules)
  const entries: RamDiskEntry[] = [
    ...["bin", "dev", "proc", "sys", "root", "modules"].map(path => ({ path })),
    { path: "init", content: await readFile(new URL("initramfs/init", import.meta.url)), isExecutable: true },
    { path: "bin/busybox", content: await readFile(join(root, "usr/bin/busybox")), isExecutable: true },
  ]
  for (const [index, file] of files.entries()) {
    const path = `modules/${String(index).padStart(2, "0")}-${basename(file).replace(moduleFile, ".ko")}`
    entries.push({ path, content: await unpacked(join(directory, file)) })
  }
  return ramDisk(entries)
}

/**
 * Files of the wanted modules and of those they need, in the order in which they must be loaded, by the kernel's own
 * list. One that is not in the list is built into the kernel. Pure.
 */
export function loadOrder(dependencyList: string, wanted: string[]): string[] {
  const plain = (file: string) => basename(file).replace(moduleFile, "").replaceAll("-", "_")
  const lines = dependencyList.split("\n").map(line => line.split(/:? /))
  const needs = new Map(
    lines.map(([file = "", ...others]) => [file.replace(/:$/, ""), others.filter(one => one !== "")]),
  )
  const byName = new Map([...needs.keys()].map(file => [plain(file), file]))
  const order = new Set<string>()
  const add = (file: string): void => {
    if (order.has(file)) return
    for (const needed of needs.get(file) ?? []) add(needed)
    order.add(file)
  }
  for (const name of wanted) {
    const file = byName.get(name)
    if (file !== undefined) add(file)
  }
  return [...order]
}

async function unpacked(file: string): Promise<Buffer> {
  const program = file.endsWith(".xz") ? "xz" : file.endsWith(".zst") ? "zstd" : null
  if (program === null) return readFile(file)
  const base = fileURLToPath(new URL(".", import.meta.url))
  const text = await run(["sh", "-c", `${program} --decompress --stdout "$1" | base64`, "sh", file], { cwd: base })
  return Buffer.from(text, "base64")
}

/** Bytes below a directory as its disk needs them. */
export async function usedBytes(root: string): Promise<number> {
  const words = await run(asRoot(["du", "--summarize", "--one-file-system", "--block-size=1", root]))
  return Number(words.split("\t")[0])
}
