import { createHash } from "node:crypto"
import { access, constants, lstat, readdir, readlink } from "node:fs/promises"
import { join } from "node:path"
import { isName } from "./names.ts"
import { isPart } from "./part.ts"
import type { Places } from "./places.ts"
import { Problem } from "./problem.ts"

/** One thing that goes into an archive. */
export interface Item {
  /** In the archive; a folder's ends with `/`. */
  path: string
  /** On the machine; a link's is where it leads to. */
  from: string
  kind: "file" | "folder" | "link"
  /** Bytes of its content. */
  size: number
  /** Milliseconds since 1970. */
  changed: number
  /** Type and rights, as `stat` has them. */
  mode: number
}

export interface ZipPlan {
  items: Item[]
  /** How many are left out: what this user may not read, sockets and the like. */
  leftOut: number
  /** The same for the same content. */
  tag: string
}

/** So many fit into this process's memory. */
const MOST_ITEMS = 100_000

/**
 * What an archive of some names of a folder holds, in an order that is always the same. Links are not followed: they
 * go along as links.
 */
export async function planZip(places: Places, path: string, names: string[]): Promise<ZipPlan> {
  if (!names.every(isName)) throw new Problem("bad-path", 400, "That is no path.")
  const folder = await places.existing(path)
  const chosen = names.length > 0 ? names : await readdir(folder)
  const items: Item[] = []
  let leftOut = 0

  async function add(full: string, name: string): Promise<void> {
    const one = await lstat(full)
    const about = { changed: one.mtimeMs, mode: one.mode }
    if (one.isDirectory()) {
      const inside = await readdir(full)
      keep({ ...about, path: `${name}/`, from: full, kind: "folder", size: 0 })
      for (const child of inside.sort()) await tryAdd(join(full, child), `${name}/${child}`, child)
    } else if (one.isSymbolicLink()) {
      const to = await readlink(full)
      keep({ ...about, path: name, from: to, kind: "link", size: Buffer.byteLength(to) })
    } else if (one.isFile()) {
      // The owner may read most; only of the rest it has to be asked.
      if (one.uid !== process.getuid?.() || (one.mode & 0o400) === 0) await access(full, constants.R_OK)
      keep({ ...about, path: name, from: full, kind: "file", size: one.size })
    } else leftOut++
  }

  async function tryAdd(full: string, name: string, own: string): Promise<void> {
    if (isPart(own)) return
    await add(full, name).catch(error => {
      if (error instanceof Problem) throw error
      leftOut++
    })
  }

  function keep(item: Item): void {
    if (items.length >= MOST_ITEMS)
      throw new Problem(
        "too-many",
        413,
        `That is more than ${MOST_ITEMS} files: take fewer, or make an archive in a terminal.`,
      )
    items.push(item)
  }

  for (const name of [...new Set(chosen)].sort()) await tryAdd(join(folder, name), name, name)
  if (items.length === 0) throw new Problem("gone", 404, "There is nothing there that could be downloaded.")
  const hash = createHash("sha256")
  for (const { path, size, changed, mode } of items) hash.update(`${path}\0${size}\0${changed}\0${mode}\n`)
  return { items, leftOut, tag: hash.digest("base64url").slice(0, 27) }
}
