import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import { copyFile, link, open, readFile, rename, rm, stat } from "node:fs/promises"

/** Replaces a file as a whole: a crash leaves the old or the new content, never half of one. Mode 0600. */
export async function writeAtomically(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`
  try {
    const file = await open(temporary, "wx", 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The parsed content of a JSON file; null when there is no such file. Throws when it is not JSON. */
export async function readJson<T>(path: string): Promise<T | null> {
  const text = await readText(path)
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${path} is damaged; remove the directory it lies in and make the machine or image anew.`, {
      cause,
    })
  }
}

/** The content of a file; null when there is no such file. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null
    throw error
  }
}

/** Copies a file that goes on changing at its source: shares blocks where the file system can. */
export async function copyCheaply(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
}

/** Gives a file that nobody changes any more a second place: shared blocks, else a second name, else a copy. */
export async function placeCheaply(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
  } catch {
    await rm(to, { force: true })
    await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL))
  }
}

/** Bytes a file really takes on disk; 0 when it does not exist. */
export async function allocatedBytes(path: string): Promise<number> {
  const found = await stat(path).catch(() => null)
  return found === null ? 0 : found.blocks * 512
}

/** Whether the error says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") return true
  return /no space left on device/i.test(error instanceof Error ? error.message : String(error))
}
