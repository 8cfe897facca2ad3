import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { chmod, type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { isThere, moveNumbered, moveUnlessThere } from "./changes.ts"
import { diskOf } from "./listing.ts"
import { cleanPath, numbered } from "./names.ts"
import { isPart, partName } from "./part.ts"
import type { Places } from "./places.ts"
import { codeOf, Problem } from "./problem.ts"

/** A file that is to go to a folder of the home. All of it together tells one upload from another. */
export interface Wish {
  /** The folder, as the page calls it. */
  folder: string
  /** The file's name, or its path below the folder. */
  name: string
  size: number
  /** When the file was changed where it comes from, in milliseconds since 1970. */
  modified: number
}

/** What is to be done where its name is taken. */
export type OnTaken = "ask" | "number" | "replace"

/** An upload of which some has arrived. */
export interface Unfinished extends Wish {
  offset: number
}

export interface UploadLimits {
  /** Bytes one file may have. */
  most: number
  /** Bytes of the disk that stay free. */
  reserve: (total: number) => number
  /** So long what has arrived of an upload waits for the rest, in ms. */
  keepMs: number
}

/** How many that are finished are remembered, for a page that did not hear the answer. */
const REMEMBERED = 500

/** `path` as the page calls it, `full` as programs of the machine do. */
type Written = { offset: number; done: false } | ({ offset: number; done: true } & Done)
type Done = { path: string; full: string }

/**
 * Uploads. What arrives goes to a file beside its place (`part.ts`), a note about it to `~/.local/state/foozol/uploads`;
 * when all of it is there and on the disk it gets its name in one step. So a file is there whole or not at all, and an
 * upload goes on where it was cut off, by whoever names the same file again.
 */
export function createUploads(places: Places, limits: UploadLimits, now: () => number) {
  const writing = new Map<string, { stop: AbortController; ended: Promise<unknown>; left: number }>()
  const finished = new Map<string, Done>()

  async function target(wish: Wish) {
    const names = cleanPath(wish.name)
    if (names === null) throw new Problem("bad-name", 400, `"${wish.name}" cannot be a name here.`)
    const name = names.pop() as string
    const id = createHash("sha256").update(JSON.stringify([wish.folder, wish.name, wish.size, wish.modified]))
    return { names, name, id: id.digest("hex").slice(0, 32) }
  }

  const noteFolder = async () => join(await places.root(), ".local/state/foozol/uploads")
  const noteOf = async (id: string) => join(await noteFolder(), `${id}.json`)

  const sizeOf = (path: string) =>
    lstat(path).then(
      ({ size }) => size,
      () => null,
    )

  /** The folder the file goes to, or null while that is not made yet. */
  const folderOf = ({ folder }: Wish, names: string[]) =>
    places.existing([...(folder === "" ? [] : [folder]), ...names].join("/")).catch(error => {
      if (codeOf(error) === "ENOENT") return null
      throw error
    })

  /** How far it is, and whether its name is taken; changes nothing. @param key of the try, see `write` */
  async function look(wish: Wish, key: string) {
    const { names, name, id } = await target(wish)
    const done = finished.get(key)
    if (done !== undefined) return { offset: wish.size, taken: null, done }
    const folder = await folderOf(wish, names)
    if (folder === null) return { offset: 0, taken: null, done: null }
    const taken = await lstat(join(folder, name)).then(
      one => (one.isDirectory() ? "folder" : "file"),
      () => null,
    )
    return { offset: (await sizeOf(join(folder, partName(id)))) ?? 0, taken, done: null }
  }

  async function requireRoom(folder: string, id: string, left: number): Promise<void> {
    const { free, total } = await diskOf(folder)
    const others = [...writing].reduce((sum, [other, { left }]) => (other === id ? sum : sum + left), 0)
    if (left === 0 || free - others - limits.reserve(total) >= left) return
    throw new Problem("no-space", 507, "There is not enough space on the workspace's disk for it.", { free })
  }

  /**
   * Writes what comes from an offset on, as far as it comes; the rest may come later.
   * @param key what the page calls this try: it may ask again for an answer that it did not hear
   * @throws Problem `offset` where it does not go on at its end, with the offset; `exists` where the name is taken
   */
  async function write(wish: Wish, key: string, offset: number, onTaken: OnTaken, bytes: Readable): Promise<Written> {
    const { names, name, id } = await target(wish)
    const done = finished.get(key)
    if (done !== undefined) return { offset: wish.size, done: true, ...done }
    if (wish.size > limits.most)
      throw new Problem("too-large", 413, "That file is larger than is taken here.", { most: limits.most })
    // One that a lost connection has left writes no more.
    const before = writing.get(id)
    before?.stop.abort()
    await before?.ended
    const folder = await places.madeFolder(wish.folder, names)
    const [part, full] = [join(folder, partName(id)), join(folder, name)]
    if (offset === 0) await requireFree(folder, name, onTaken)
    const mine = { stop: new AbortController(), ended: Promise.resolve<unknown>(null), left: wish.size - offset }
    const work = (async () => {
      await requireRoom(folder, id, wish.size - offset)
      await note(id, wish)
      const handle = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW)
      try {
        const { size } = await handle.stat()
        if (size !== offset) throw new Problem("offset", 409, "It goes on elsewhere.", { offset: size })
        const end = await take(handle, offset, wish.size, bytes, mine)
        if (end === wish.size && !mine.stop.signal.aborted) await handle.datasync()
        return end
      } finally {
        await handle.close()
      }
    })()
    mine.ended = work.catch(() => {})
    writing.set(id, mine)
    try {
      const end = await work
      if (end < wish.size || mine.stop.signal.aborted) return { offset: end, done: false }
      const got = join(folder, await giveName(part, folder, name, full, onTaken))
      const done = { path: await places.told(got), full: got }
      if (key !== "") finished.set(key, done)
      for (const old of finished.keys()) if (finished.size > REMEMBERED) finished.delete(old)
      await rm(await noteOf(id), { force: true })
      return { offset: end, done: true, ...done }
    } finally {
      if (writing.get(id) === mine) writing.delete(id)
    }
  }

  async function take(
    handle: FileHandle,
    from: number,
    size: number,
    bytes: Readable,
    mine: { stop: AbortController; left: number },
  ): Promise<number> {
    let at = from
    // It may wait for bytes that will never come.
    mine.stop.signal.addEventListener("abort", () => bytes.destroy(), { once: true })
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        if (mine.stop.signal.aborted) break
        if (at + chunk.length > size) throw new Problem("too-much", 400, "More came than the file's size.")
        for (let sent = 0; sent < chunk.length; ) {
          const { bytesWritten } = await handle.write(chunk, sent, chunk.length - sent, at + sent)
          sent += bytesWritten
        }
        at += chunk.length
        mine.left = size - at
      }
    } catch (error) {
      // A connection that was cut: what has come stays.
      if (error instanceof Problem || !isCut(error)) throw error
    }
    return at
  }

  async function requireFree(folder: string, name: string, onTaken: OnTaken): Promise<void> {
    if (onTaken === "number" || !(await isThere(join(folder, name)))) return
    const problem = await takenProblem(folder, name)
    // No file takes a folder's place.
    if (onTaken === "ask" || problem.more.taken === "folder") throw problem
  }

  async function takenProblem(folder: string, name: string): Promise<Problem> {
    const isFolder = await lstat(join(folder, name)).then(
      one => one.isDirectory(),
      () => false,
    )
    let number = 2
    while (number < 100 && (await isThere(join(folder, numbered(name, number))))) number++
    const more: Record<string, unknown> = { taken: isFolder ? "folder" : "file", free: numbered(name, number) }
    return new Problem("exists", 409, `There is "${name}" already.`, more)
  }

  /** Gives what is whole its name. @returns the name it got */
  async function giveName(part: string, folder: string, name: string, full: string, onTaken: OnTaken): Promise<string> {
    if (onTaken === "number") return moveNumbered(part, folder, name)
    if (onTaken === "replace") {
      const old = await lstat(full).catch(() => null)
      if (old?.isDirectory()) throw await takenProblem(folder, name)
      // What could be run can be run afterwards.
      if (old?.isFile()) await chmod(part, old.mode & 0o777)
      await rename(part, full)
      return name
    }
    try {
      await moveUnlessThere(part, full)
      return name
    } catch (error) {
      throw codeOf(error) === "EEXIST" ? await takenProblem(folder, name) : error
    }
  }

  async function note(id: string, wish: Wish): Promise<void> {
    await mkdir(await noteFolder(), { recursive: true, mode: 0o700 })
    // By name: another upload's own note is never half there.
    const path = await noteOf(id)
    if (await isThere(path)) return
    await writeFile(`${path}.new`, JSON.stringify(wish), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async function notes(): Promise<{ id: string; wish: Wish; part: string | null }[]> {
    const folder = await noteFolder()
    const names = await readdir(folder).catch(() => [])
    const read = names.map(async name => {
      const id = name.replace(/\.json$/, "")
      if (!isPart(partName(id))) return null
      const wish = await readFile(join(folder, name), "utf8").then(
        text => JSON.parse(text) as Wish,
        () => null,
      )
      if (wish === null) return null
      const { names } = await target(wish)
      const at = await folderOf(wish, names).catch(() => null)
      return { id, wish, part: at === null ? null : join(at, partName(id)) }
    })
    return (await Promise.all(read.map(one => one.catch(() => null)))).filter(one => one !== null)
  }

  async function discard(wish: Wish): Promise<void> {
    const { names, id } = await target(wish)
    const running = writing.get(id)
    running?.stop.abort()
    await running?.ended
    const folder = await folderOf(wish, names)
    if (folder !== null) await rm(join(folder, partName(id)), { force: true })
    await rm(await noteOf(id), { force: true })
  }

  return {
    look,
    write,
    discard,
    /** Is anything being written? */
    busy: () => writing.size > 0,
    async unfinished(): Promise<Unfinished[]> {
      const told = (await notes()).map(async ({ id, wish, part }) => {
        const offset = part === null ? null : await sizeOf(part)
        return offset === null || writing.has(id) ? null : { ...wish, offset }
      })
      return (await Promise.all(told)).filter(one => one !== null)
    },
    /** Removes what nobody has gone on with. */
    async tidy(): Promise<void> {
      for (const { id, wish, part } of await notes()) {
        if (writing.has(id)) continue
        const seen = await lstat(part ?? (await noteOf(id))).catch(() => null)
        if (seen === null || part === null || now() - seen.mtimeMs > limits.keepMs) await discard(wish)
      }
    },
  }
}

export type Uploads = ReturnType<typeof createUploads>

const isCut = (error: unknown) => ["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ABORT_ERR"].includes(codeOf(error))
