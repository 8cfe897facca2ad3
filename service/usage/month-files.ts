import { createReadStream } from "node:fs"
import { type FileHandle, open, readdir } from "node:fs/promises"
import { createInterface } from "node:readline"
import type { Month } from "./months.ts"

/** The mode that such a file has, and keeps. */
const MODE = 0o600

/** Files of one month each (`SERIES-2026-11.ndjson`, UTC), which are only ever appended to. */
export const monthFile = (series: string, month: Month) => `${series}-${month}.ndjson`

/** The months of which a folder has a file, the oldest first; none where there is no folder. */
export async function monthsIn(directory: string, series: string): Promise<Month[]> {
  const names = await readdir(directory).catch(error => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  })
  const pattern = new RegExp(`^${series}-(\\d{4}-\\d\\d)\\.ndjson$`)
  return names.flatMap(name => pattern.exec(name)?.[1] ?? []).sort()
}

/** A file's lines, the first one first, empty ones too. */
export const linesOf = (path: string) =>
  createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY })

/**
 * Appends whole lines to a file and waits until the disk has them.
 * @param pieces each is one write: what one of several writers appends in one lies in one piece
 */
export async function appendTo(path: string, pieces: string[]): Promise<void> {
  const file = await open(path, "a+", MODE)
  try {
    const [first = "", ...rest] = pieces
    await file.appendFile(`${(await endsTorn(file)) ? "\n" : ""}${first}`)
    for (const piece of rest) await file.appendFile(piece)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/**
 * Was the file's last line cut off, by a full disk or a machine that went down? What follows must not be glued to it.
 * While another process writes, the file's size shows a part of its line for as long as the kernel lets that process
 * wait. Setting the mode waits for the same lock as a write does: afterwards what was being written is there in whole.
 */
async function endsTorn(file: FileHandle): Promise<boolean> {
  for (let before = -1; ; await file.chmod(MODE)) {
    const { size } = await file.stat()
    if (size === 0) return false
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    if (buffer[0] === 0x0a) return false
    if (size === before) return true
    before = size
  }
}
