import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ProfileName } from "./definition.ts"
import { ImageError } from "./errors.ts"
import type { Manifest } from "./manifest.ts"
import { failureSentence, failuresOf, type Report, readManifest } from "./verify.ts"

const FILE = "verified.json"

/** A golden image on this computer, as `image list` shows it. */
export interface StoredImage {
  directory: string
  manifest: Manifest
  /** What the checklist said when it last passed; null for an image that machines must not be made from. */
  verified: Report | null
  /** When it was last built or asked for, in milliseconds. */
  usedAt: number
}

/**
 * Takes a report for what it says: the image that passed all of the checklist is promoted; one that failed any of it
 * is promoted no more. A passed `quick` changes nothing.
 * @throws ImageError `not-verified` naming the failed checks and the picture of the screen
 */
export async function promote(directory: string, report: Report): Promise<void> {
  const file = join(directory, FILE)
  if (failuresOf(report).length > 0) {
    await rm(file, { force: true })
    throw new ImageError("not-verified", failureSentence(report))
  }
  if (report.level !== "full") return
  await writeFile(`${file}.new`, `${JSON.stringify(report, null, 2)}\n`)
  await rename(`${file}.new`, file)
}

/** The report that promoted an image; null for one that was not. */
export async function promotionOf(directory: string): Promise<Report | null> {
  const text = await readFile(join(directory, FILE), "utf8").catch(() => null)
  if (text === null) return null
  const report = JSON.parse(text) as Report
  const { hash } = await readManifest(directory)
  // A copy of another image's report, or one of an earlier form, promotes nothing.
  if (report.version !== 1 || report.image !== hash || report.level !== "full") return null
  return failuresOf(report).length === 0 ? report : null
}

/** All images of a cache folder, the last used first. */
export async function storedImages(cacheDirectory: string): Promise<StoredImage[]> {
  const names = await readdir(cacheDirectory).catch(() => [])
  const images: StoredImage[] = []
  for (const name of names.filter(name => name.startsWith("image-"))) {
    const directory = join(cacheDirectory, name)
    try {
      const [manifest, verified, { mtimeMs }] = await Promise.all([
        readManifest(directory),
        promotionOf(directory),
        stat(directory),
      ])
      images.push({ directory, manifest, verified, usedAt: mtimeMs })
    } catch {
      // It went away this moment, or is none.
    }
  }
  return images.sort((a, b) => b.usedAt - a.usedAt)
}

/** Folder of the promoted image of a profile that was last used, or null: then there is none to make machines from. */
export async function promotedImage(cacheDirectory: string, profile: ProfileName): Promise<string | null> {
  const images = await storedImages(cacheDirectory)
  return images.find(({ manifest, verified }) => manifest.profile === profile && verified !== null)?.directory ?? null
}
