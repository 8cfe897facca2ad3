import { createHash } from "node:crypto"
import { lstat, readdir, readFile, readlink } from "node:fs/promises"
import { join, relative } from "node:path"

/** A short name for a value of plain data: equal values, equal names. */
export function valueHash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16)
}

/** The hash of all files below the given directories: their names, whether they can be run, and what is in them. */
export async function directoriesHash(directories: string[]): Promise<string> {
  const hash = createHash("sha256")
  for (const directory of directories) {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => !entry.isDirectory()).map(entry => join(entry.parentPath, entry.name))
    for (const file of files.sort()) {
      const info = await lstat(file)
      hash.update(
        `${relative(directory, file)}\0${info.mode & 0o111 ? "x" : "-"}${info.isSymbolicLink() ? "l" : "f"}\0`,
      )
      hash.update(info.isSymbolicLink() ? await readlink(file) : await readFile(file))
      hash.update("\0")
    }
  }
  return hash.digest("hex").slice(0, 16)
}
