import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { lstat, rm } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import type { HomeProof } from "./order.ts"
import type { Restic } from "./restic.ts"

/** Files that are brought back, none larger than this; and of all other data so much is read. */
const FILES = 50
const MOST_BYTES = 8 * 1024 * 1024
const READ_DATA = "50M"

interface Sampled {
  /** Below the home, with a slash before. */
  path: string
  size: number
  /** ms since 1970. */
  mtime: number
}

/**
 * Tries a backup out: files of it, at random, are brought back beside and compared with those they were made of, and the
 * whole repository is checked. A file that has been changed since counts by its size alone.
 * @param folder where they are brought back; it is there for that alone
 */
export async function proveBackup(
  restic: Restic,
  { backup, home, folder, random }: { backup: string; home: string; folder: string; random: () => number },
): Promise<HomeProof> {
  const sample = await sampleOf(restic, backup, random)
  await rm(folder, { recursive: true, force: true })
  try {
    const wanted = sample.flatMap(({ path }) => ["--include", escaped(path)])
    const restored =
      sample.length === 0 ? { code: 0, said: "" } : await restic(["restore", backup, "--target", folder, ...wanted])
    if (restored.code !== 0) return { passed: false, files: 0, detail: lastLine(restored.said) }
    for (const [at, one] of sample.entries()) {
      const fault = await compare(join(folder, one.path), join(home, one.path), one)
      if (fault !== null) return { passed: false, files: at, detail: fault }
    }
    const checked = await restic(["check", "--with-cache", `--read-data-subset=${READ_DATA}`])
    if (checked.code !== 0) return { passed: false, files: sample.length, detail: lastLine(checked.said) }
    return { passed: true, files: sample.length }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Each file with the same chance, however many there are. */
async function sampleOf(restic: Restic, backup: string, random: () => number): Promise<Sampled[]> {
  const sample: Sampled[] = []
  let seen = 0
  const hear = (line: string) => {
    const { type, path, size, mtime } = JSON.parse(line) as Record<string, unknown>
    if (type !== "file" || typeof path !== "string" || typeof size !== "number" || size > MOST_BYTES) return
    seen++
    const at = sample.length < FILES ? sample.length : Math.floor(random() * seen)
    if (at < FILES) sample[at] = { path, size, mtime: Date.parse(String(mtime)) }
  }
  const { code, said } = await restic(["ls", backup, "--json"], { hear })
  if (code !== 0) throw new Error(lastLine(said))
  return sample
}

/** @returns what is wrong; null: nothing */
async function compare(restored: string, live: string, { path, size, mtime }: Sampled): Promise<string | null> {
  const [copy, original] = await Promise.all([restored, live].map(one => lstat(one).catch(() => null)))
  if (!copy?.isFile() || copy.size !== size) return `${path} did not come back as it was`
  const isSame = original?.isFile() && original.size === size && Math.floor(original.mtimeMs) === Math.floor(mtime)
  if (!isSame) return null
  const [one, other] = await Promise.all([hashOf(restored), hashOf(live).catch(() => null)])
  return other === null || one === other ? null : `${path} came back with another content`
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256")
  await pipeline(createReadStream(path), hash)
  return hash.digest("hex")
}

/** Names of files are patterns to it. */
const escaped = (path: string) => path.replace(/[\\*?[\]]/g, "\\$&")

/** The last of its words that says something, in one line. */
export const lastLine = (said: string) => {
  const lines = said.split("\n").filter(line => line.trim() !== "")
  const telling = lines.findLast(line => !/There were \d+ errors|repository contains errors/.test(line)) ?? lines.at(-1)
  return (telling ?? "it ended without a word").slice(0, 300)
}
