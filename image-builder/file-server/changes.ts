import { link, lstat, mkdir, rename, unlink } from "node:fs/promises"
import { join } from "node:path"
import { cleanName, numbered } from "./names.ts"
import type { Places } from "./places.ts"
import { codeOf, Problem } from "./problem.ts"

/** How many numbers are tried when a name is taken. */
const MOST_NUMBERS = 1_000

/** Makes a folder. @returns its name, made safe */
export async function makeFolder(places: Places, path: string, given: string): Promise<string> {
  const name = safe(given)
  await mkdir(join(await places.existing(path), name))
  return name
}

/** Gives a file, folder or link another name in its folder. @returns the name, made safe */
export async function renameEntry(places: Places, path: string, given: string): Promise<string> {
  const [from, name] = [await places.place(path), safe(given)]
  if (name !== from.name) await moveUnlessThere(from.full, join(from.folder, name))
  return name
}

/** Moves, and never over something that is there. @throws with the code EEXIST */
export async function moveUnlessThere(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory()) {
    // The system itself moves no folder over a file or over a folder with anything in it.
    if (await isThere(to)) throw Object.assign(new Error("there"), { code: "EEXIST" })
    return rename(from, to)
  }
  try {
    // One step that fails where the name is taken, unlike a look and then a move.
    await link(from, to)
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error))) throw error
    // A file system without links.
    if (await isThere(to)) throw Object.assign(new Error("there"), { code: "EEXIST" })
    return rename(from, to)
  }
  await unlink(from)
}

/** Moves to that name in a folder, or to one with a number where it is taken. @returns the name */
export async function moveNumbered(from: string, folder: string, name: string): Promise<string> {
  for (let number = 1; number <= MOST_NUMBERS; number++) {
    const tried = number === 1 ? name : numbered(name, number)
    try {
      await moveUnlessThere(from, join(folder, tried))
      return tried
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error
    }
  }
  throw new Problem("exists", 409, "There are too many of that name.")
}

export const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    error => {
      if (codeOf(error) === "ENOENT") return false
      throw error
    },
  )

function safe(given: string): string {
  const name = cleanName(given)
  if (name === null) throw new Problem("bad-name", 400, "That cannot be a name.")
  return name
}
