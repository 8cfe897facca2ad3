import { join } from "node:path"
import type { Archive } from "./archive.ts"
import { NODE_VERSION, type ProfileName } from "./definition.ts"
import { run } from "./run.ts"

/** What is known of an image; stored beside it as `manifest.json`. */
export interface Manifest {
  version: 1
  hash: string
  /** `platform`: the server of the service itself. */
  profile: ProfileName | "platform"
  distribution: string
  kernel: string
  node: string
  commandLines: string[]
  packages: Record<string, string>
  /** Bytes: files on the disk, the disk's file, and that file compressed. */
  sizes: { content: number; disk: number; compressed: number }
  builtAt: string
}

/** Packages of the system in `root` with their versions. */
export async function installedPackages(root: string): Promise<Record<string, string>> {
  const list = await run(["dpkg-query", "--admindir", join(root, "var/lib/dpkg"), "--show"])
  return Object.fromEntries(
    list
      .trim()
      .split("\n")
      .map(line => line.split("\t") as [string, string]),
  )
}

/** The manifest without what only its builder knows. */
export function manifest(
  about: Pick<Manifest, "hash" | "profile" | "kernel" | "packages" | "sizes" | "commandLines">,
  archive: Pick<Archive, "distribution" | "suite">,
  now: Date,
): Manifest {
  const distribution = `${archive.distribution} ${archive.suite}`
  return {
    version: 1,
    ...about,
    distribution,
    node: NODE_VERSION,
    builtAt: now.toISOString(),
  }
}
