import { createHash } from "node:crypto"
import { lstat, mkdir, opendir, readFile, rename, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** Files of a machine as they were before its disk was copied. */
export interface Manifest {
  /** The backup it was written for. */
  id: string
  files: ListedFile[]
}
interface ListedFile {
  path: string
  bytes: number
  /** Of the last change of its content, ms since 1970 with fractions. */
  changedAt: number
  sha256: string
}

/** How the files of a copy compare with its manifest. */
export interface Comparison {
  digest: string
  files: number
  /** Same size and time, another content. */
  damaged: string[]
  /** Gone, or another size or time: somebody was at work between the manifest and the copy. */
  changed: number
}

/** Where samples are taken, with the most files of each. */
const ROOTS = { "/home/user": 150, "/usr": 60, "/etc": 40, "/opt": 20, "/var/lib": 20 }
/** Left out: they come and go. */
const SKIPPED = new Set([".cache", "tmp", "cache", "foozol"])
/** A sample must cost next to nothing: one read of so many bytes in all, none of a larger file. */
const MOST_FILE_BYTES = 2 * 1024 * 1024
const MOST_BYTES = 32 * 1024 * 1024
/** Folders and files looked at for each place; a home may have millions. */
const MOST_LOOKS = 6_000
/** What was changed since is likely to be changed again before the copy. */
const SETTLED_MS = 60_000
const MOST_NAMED = 10

/** Hex, short enough for a label. */
export const digestOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 40)

/**
 * Takes a random sample of files and writes their hashes down.
 * @returns digest of what was written
 */
export async function writeManifest(
  path: string,
  id: string,
  given: { random: () => number; now: number; roots?: Record<string, number> },
): Promise<string> {
  const files: ListedFile[] = []
  let left = MOST_BYTES
  for (const [root, most] of Object.entries(given.roots ?? ROOTS)) {
    let wanted = most
    for await (const file of wander(root, given.random)) {
      if (wanted === 0) break
      const listed = await list(file, Math.min(MOST_FILE_BYTES, left), given.now)
      if (!listed) continue
      files.push(listed)
      wanted--
      left -= listed.bytes
    }
  }
  const text = `${JSON.stringify({ id, files } satisfies Manifest)}\n`
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
  return digestOf(text)
}

/** Compares the files with what was written down; null where nothing is, or nothing that can be read. */
export async function compareWithManifest(path: string): Promise<Comparison | null> {
  const text = await readFile(path, "utf8").catch(() => null)
  if (text === null) return null
  const found: Comparison = { digest: digestOf(text), files: 0, damaged: [], changed: 0 }
  for (const file of filesOf(text)) {
    found.files++
    const stats = await lstat(file.path).catch(() => null)
    if (!stats?.isFile() || stats.size !== file.bytes || stats.mtimeMs !== file.changedAt) {
      found.changed++
      continue
    }
    // What cannot be read is damaged as well.
    const sha256 = await hashOf(file.path).catch(() => null)
    if (sha256 !== file.sha256 && found.damaged.length < MOST_NAMED) found.damaged.push(file.path)
  }
  return found
}

/** A torn list is compared as far as nothing: its digest says the rest. */
function filesOf(text: string): ListedFile[] {
  try {
    return (JSON.parse(text) as Manifest).files
  } catch {
    return []
  }
}

async function list(path: string, mostBytes: number, now: number): Promise<ListedFile | null> {
  try {
    const { size: bytes, mtimeMs: changedAt } = await lstat(path)
    if (bytes === 0 || bytes > mostBytes || now - changedAt < SETTLED_MS) return null
    return { path, bytes, changedAt, sha256: await hashOf(path) }
  } catch {
    return null
  }
}

const hashOf = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex")

/** Files below a folder, on one filesystem, in random order: not all, and never in one folder only. */
async function* wander(root: string, random: () => number): AsyncGenerator<string> {
  const folders = [root]
  let looks = 0
  const device = (await lstat(root).catch(() => null))?.dev
  while (folders.length > 0 && looks < MOST_LOOKS) {
    const [folder = ""] = folders.splice(Math.floor(random() * folders.length), 1)
    const files: string[] = []
    try {
      if ((await lstat(folder)).dev !== device) continue
      for await (const entry of await opendir(folder)) {
        looks++
        if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(join(folder, entry.name))
        else if (entry.isFile()) files.push(join(folder, entry.name))
        if (looks >= MOST_LOOKS) break
      }
    } catch {
      // Gone meanwhile, or not to be read.
    }
    for (let some = 0; some < 5 && files.length > 0; some++) {
      yield files.splice(Math.floor(random() * files.length), 1)[0] as string
    }
  }
}
