import { mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { run } from "../machines/qemu/run.ts"

/** Paths of what the test image is made of, inside the unpacked packages. */
export interface UnpackedPackages {
  kernel: string
  /** The directory of the kernel's modules, `lib/modules/<release>`. */
  modules: string
  busybox: string
}

/** Downloads the distribution's kernel and busybox with apt and unpacks them below `work`. Needs no root rights. */
export async function fetchPackages(work: string): Promise<UnpackedPackages> {
  const downloads = join(work, "packages")
  const root = join(work, "unpacked")
  await mkdir(downloads)
  const names = [await kernelPackage(), "busybox-static"]
  try {
    await run("apt-get", ["download", "-qq", ...names], { cwd: downloads })
  } catch (cause) {
    throw new Error(`apt-get could not download ${names.join(" and ")}; check the network and run "apt-get update".`, {
      cause,
    })
  }
  for (const file of await readdir(downloads)) {
    await run("dpkg-deb", ["--extract", join(downloads, file), root])
  }
  const release = await only(join(root, "lib/modules"), () => true)
  const kernel = await only(join(root, "boot"), name => name.startsWith("vmlinuz-"))
  return {
    kernel: join(root, "boot", kernel),
    modules: join(root, "lib/modules", release),
    busybox: join(root, "bin/busybox"),
  }
}

/** The package named linux-image-cloud-amd64 is empty: what holds the kernel is the one it depends on. */
async function kernelPackage(): Promise<string> {
  const meta = "linux-image-cloud-amd64"
  const { stdout } = await run("apt-cache", ["depends", meta]).catch(cause => {
    throw new Error(`apt knows no package ${meta}; the test image is built on Debian, after "apt-get update".`, {
      cause,
    })
  })
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
  if (name === undefined) throw new Error(`The package ${meta} names no kernel; run "apt-get update" and try again.`)
  return name
}

async function only(directory: string, matches: (name: string) => boolean): Promise<string> {
  const name = (await readdir(directory)).find(matches)
  if (name === undefined) throw new Error(`The downloaded packages hold nothing in ${directory}; try again.`)
  return name
}
