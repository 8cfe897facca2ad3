import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { appTree } from "../app.ts"
import type { Bundle } from "../bundles.ts"
import { directoriesHash, valueHash } from "../content-hash.ts"
import { type AppSource, IMAGE_FORMAT, type ProfileName } from "../definition.ts"
import { run } from "../run.ts"
import type { RemoteStep } from "./steps.ts"

const imageBuilder = join(dirname(fileURLToPath(import.meta.url)), "..")

/** Folders of files as they lie on a cloud's machines; a later one's file takes the place of an earlier one's. */
export async function imageTrees(profile: ProfileName, work: string, bundle: Bundle): Promise<string[]> {
  const bundled = join(work, "bundle")
  await mkdir(bundled, { recursive: true })
  await bundle(bundled)
  const own = ["rootfs", join("profiles", profile, "rootfs"), join("cloud", "rootfs")]
  return [...own.map(name => join(imageBuilder, name)).filter(tree => existsSync(tree)), bundled]
}

/** The name of the image: the hash of everything that reaches its builder. `steps` are those of an image without name. */
export async function cloudImageHash(
  trees: string[],
  steps: RemoteStep[],
  app: AppSource | undefined,
): Promise<string> {
  return valueHash([IMAGE_FORMAT, steps, app ?? null, await directoriesHash(trees)])
}

/** Packs the trees and the app into one archive, everything root's and for all to read, and returns its path. */
export async function packFiles(trees: string[], app: AppSource | undefined, work: string, logFile: string) {
  const all = [...trees, ...(app === undefined ? [] : [await appTree(app, work, logFile)])]
  // One tree first: tar closes a folder to everyone but root when it meets it twice in an archive, the root too.
  const merged = join(work, "merged")
  await mkdir(merged)
  for (const tree of all) await run(["cp", "--recursive", "--no-dereference", `${tree}/.`, merged])
  const archive = join(work, "files.tar.gz")
  const options = ["--owner=0", "--group=0", "--mode=u+rw,go-w,a+rX", "--mtime=@0", "--sort=name"]
  await run(["tar", "--create", "--gzip", "--file", archive, ...options, "--directory", merged, "."])
  return archive
}
