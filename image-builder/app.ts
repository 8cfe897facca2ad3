import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { copyTree } from "./command-lines.ts"
import type { AppSource } from "./definition.ts"
import { ImageError } from "./errors.ts"
import type { Layer } from "./layers.ts"
import { run } from "./run.ts"

/**
 * Puts the operator's app on the machine, below /opt/foozol-app, and the program that starts it in its `run`.
 * It is unpacked and never installed: a package's scripts have no business in the builder.
 */
export function appLayer(app: AppSource, about: { cacheDirectory: string; logFile: string }): Layer {
  return {
    name: "app",
    inputs: app,
    keep: true,
    async apply(root) {
      const work = await mkdtemp(join(about.cacheDirectory, "app-"))
      try {
        await run(["sh", "-euc", copyTree, "sh", await appTree(app, work, about.logFile), root])
      } finally {
        await rm(work, { recursive: true, force: true })
      }
    },
  }
}

/** Makes the app's files in a folder below `work`, as they lie on the machine, and returns that folder. */
export async function appTree(app: AppSource, work: string, logFile: string): Promise<string> {
  const tree = join(work, "tree")
  const folder = join(tree, "opt/foozol-app")
  await mkdir(folder, { recursive: true })
  if (app.kind === "npm") {
    await run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", app.package], { logFile })
  } else {
    await unpack(app, await download(app, work), tree, folder)
  }
  const start = `#!/bin/sh\ncd /opt/foozol-app\nexec ${app.start} "$@"\n`
  await rm(join(folder, "run"), { force: true })
  await writeFile(join(folder, "run"), start, { mode: 0o755 })
  return tree
}

type Download = Exclude<AppSource, { kind: "npm" }>

/** Fetches the app's file; one that is not what the operator named never gets further. */
export async function download(app: Pick<Download, "url" | "sha256">, work: string): Promise<string> {
  const file = join(work, "download")
  const response = await fetch(app.url).catch(() => null)
  if (response === null || !response.ok || response.body === null) {
    const answer = response === null ? "nothing answers" : `the answer was ${response.status}`
    throw new ImageError("app-missing", `The app could not be fetched from ${app.url}: ${answer}.`)
  }
  await writeFile(file, response.body)
  const hash = createHash("sha256")
  await pipeline(createReadStream(file), hash)
  const found = hash.digest("hex")
  if (found === app.sha256.toLowerCase()) return file
  throw new ImageError(
    "wrong-checksum",
    `The app from ${app.url} has the SHA-256 ${found}, not ${app.sha256}; no image was made.`,
  )
}

async function unpack(app: Download, file: string, tree: string, folder: string): Promise<void> {
  if (app.kind === "deb") await run(["dpkg-deb", "--extract", file, tree])
  else if (app.kind === "tarball") await run(["tar", "--extract", "--file", file, "--directory", folder])
  else {
    // An AppImage mounts itself by FUSE when it is run; unpacked it starts sooner and needs none.
    await copyFile(file, join(folder, "app.AppImage"))
    await run(["chmod", "755", join(folder, "app.AppImage")])
    await run([join(folder, "app.AppImage"), "--appimage-extract"], { cwd: folder })
    await rm(join(folder, "app.AppImage"))
  }
}
