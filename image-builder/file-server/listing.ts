import { lstat, readdir, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { isPart } from "./part.ts"
import type { Places } from "./places.ts"

export interface Entry {
  name: string
  /** `other`: what can neither be opened nor downloaded, such as a socket or a link that leads nowhere. */
  kind: "file" | "folder" | "other"
  link: boolean
  /** Bytes; null for what has none. */
  size: number | null
  /** Milliseconds since 1970. */
  changed: number
}

export interface Listing {
  path: string
  entries: Entry[]
  /** Are there more than are told? */
  more: boolean
  disk: { free: number; total: number }
}

/** Entries of a folder that are told. */
export const MOST_ENTRIES = 5_000
/** Questions to the file system at a time. */
const AT_ONCE = 32

/** What lies in a folder, in no order. */
export async function list(places: Places, path: string): Promise<Listing> {
  const folder = await places.existing(path)
  const names = (await readdir(folder)).filter(name => !isPart(name))
  const entries: Entry[] = []
  for (let at = 0; at < Math.min(names.length, MOST_ENTRIES); at += AT_ONCE) {
    const some = names.slice(at, Math.min(at + AT_ONCE, MOST_ENTRIES))
    const told = await Promise.all(some.map(name => entryOf(places, folder, name).catch(() => null)))
    entries.push(...told.filter(one => one !== null))
  }
  return { path: await places.told(folder), entries, more: names.length > MOST_ENTRIES, disk: await diskOf(folder) }
}

async function entryOf(places: Places, folder: string, name: string): Promise<Entry> {
  const full = join(folder, name)
  const own = await lstat(full)
  const link = own.isSymbolicLink()
  const told = link
    ? await places.existing(await places.told(full)).then(
        real => stat(real),
        () => null,
      )
    : own
  const kind = told?.isDirectory() ? "folder" : told?.isFile() ? "file" : "other"
  const size = kind === "file" && told ? told.size : null
  return { name, kind, link, size, changed: Math.round((told ?? own).mtimeMs) }
}

export async function diskOf(folder: string): Promise<{ free: number; total: number }> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { free: bavail * bsize, total: blocks * bsize }
}
