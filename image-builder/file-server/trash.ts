import { mkdir, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises"
import { basename, join, sep } from "node:path"
import { moveNumbered } from "./changes.ts"
import { isName, numbered } from "./names.ts"
import type { Places } from "./places.ts"
import { codeOf, Problem } from "./problem.ts"

export interface Trashed {
  id: string
  /** Where it was, as the page calls it. */
  path: string
  /** Milliseconds since 1970. */
  deleted: number
}

/** As many are told; emptying takes all. */
const MOST_TOLD = 1_000

/**
 * The trash of the home, as desktops have it (freedesktop.org's Trash specification), so that a file manager on the
 * machine knows what was deleted here.
 */
export function createTrash(places: Places, now: () => number) {
  const folders = async () => {
    const trash = join(await places.root(), ".local/share/Trash")
    return { trash, files: join(trash, "files"), info: join(trash, "info") }
  }
  const infoOf = (folder: string, id: string) => join(folder, `${id}.trashinfo`)

  /** Takes a name in the trash: whoever writes the note has it. */
  async function take(info: string, name: string, text: string): Promise<string> {
    for (let number = 1; ; number++) {
      const id = number === 1 ? name : numbered(name.slice(0, 120), number)
      try {
        await writeFile(infoOf(info, id), text, { flag: "wx", mode: 0o600 })
        return id
      } catch (error) {
        if (codeOf(error) === "ENAMETOOLONG" && number === 1) continue
        if (codeOf(error) !== "EEXIST" || number > 10_000) throw error
      }
    }
  }

  async function put(path: string): Promise<string> {
    const { full, name } = await places.place(path)
    const { trash, files, info } = await folders()
    if (trash === full || trash.startsWith(full + sep))
      throw new Problem("holds-trash", 409, `"${name}" holds the trash itself: delete what is in it instead.`)
    if (full.startsWith(trash + sep))
      throw new Problem("in-trash", 409, "That lies in the trash: empty the trash instead.")
    for (const one of [files, info]) await mkdir(one, { recursive: true, mode: 0o700 })
    const date = new Date(now()).toISOString().slice(0, 19)
    const told = full.split("/").map(encodeURIComponent).join("/")
    const text = `[Trash Info]\nPath=${told}\nDeletionDate=${date}\n`
    const id = await take(info, name, text)
    try {
      await rename(full, join(files, id))
      return id
    } catch (error) {
      await unlink(infoOf(info, id))
      throw error
    }
  }

  async function look(id: string): Promise<Trashed & { full: string }> {
    const { info } = await folders()
    const text = await readFile(infoOf(info, id), "utf8")
    const full = decodeURIComponent(/^Path=(.*)$/m.exec(text)?.[1] ?? "")
    const deleted = Date.parse(`${/^DeletionDate=(.*)$/m.exec(text)?.[1]}Z`)
    return { id, full, path: await places.told(full), deleted: Number.isNaN(deleted) ? 0 : deleted }
  }

  async function all(): Promise<string[]> {
    const { files } = await folders()
    return readdir(files).catch(() => [])
  }

  return {
    put,
    async list(): Promise<Trashed[]> {
      const ids = (await all()).slice(0, MOST_TOLD)
      const told = await Promise.all(ids.map(id => look(id).catch(() => ({ id, path: id, deleted: 0 }))))
      return told
        .map(({ id, path, deleted }) => ({ id, path, deleted }))
        .sort((one, other) => other.deleted - one.deleted)
    },
    /** Puts something back where it was, under another name where that is taken. @returns its path */
    async restore(id: string): Promise<string> {
      if (!isName(id)) throw new Problem("gone", 404, "It is not in the trash any more.")
      const { files, info } = await folders()
      const { full, path } = await look(id)
      // The folder it was in may have become a link that leads elsewhere.
      const names = path.split("/").slice(0, -1)
      const folder = await places.madeFolder("", names)
      const name = await moveNumbered(join(files, id), folder, basename(full))
      await unlink(infoOf(info, id)).catch(() => {})
      return places.told(join(folder, name))
    },
    async empty(): Promise<void> {
      const { files, info } = await folders()
      for (const id of await all()) {
        await rm(join(files, id), { recursive: true, force: true })
        await rm(infoOf(info, id), { force: true })
      }
    },
  }
}

export type Trash = ReturnType<typeof createTrash>
