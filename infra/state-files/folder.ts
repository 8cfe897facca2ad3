import { randomUUID } from "node:crypto"
import { link, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import type { StateFiles } from "./contract.ts"

/** The files below a folder of this machine, for its user alone. */
export function folderFiles(root: string): StateFiles {
  /** A file beside the one that is meant, until it is whole. */
  async function half(name: string, text: string): Promise<string> {
    const path = `${join(root, name)}.${randomUUID()}.new`
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    try {
      await writeFile(path, text, { mode: 0o600 })
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return path
  }

  return {
    read: name => readFile(join(root, name), "utf8").catch(() => null),
    async list(folder) {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])
      return entries
        .filter(entry => entry.isFile())
        .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    },
    async writeNew(name, text) {
      const written = await half(name, text)
      try {
        // A link fails where a copy would overwrite: of two writers one is first.
        await link(written, join(root, name))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
        return false
      } finally {
        await rm(written, { force: true })
      }
    },
    replace: async (name, text) => rename(await half(name, text), join(root, name)),
    isThere: name =>
      lstat(join(root, name)).then(
        () => true,
        () => false,
      ),
    async move(name, to) {
      await mkdir(dirname(join(root, to)), { recursive: true, mode: 0o700 })
      await rename(join(root, name), join(root, to))
    },
    remove: name => rm(join(root, name), { force: true }),
  }
}
