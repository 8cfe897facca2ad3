import { chmod, chown, lstat, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"

/**
 * Moves all that is in a folder over what is in another one of the same file system: files take the place of what has
 * their name, folders become one, and what else is there stays. Cut off, it can be done again.
 */
export async function moveOver(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    const there = await lstat(target).catch(() => null)
    if (entry.isDirectory() && there?.isDirectory()) {
      await moveOver(source, target)
      const { uid, gid, mode } = await lstat(source)
      await chown(target, uid, gid)
      await chmod(target, mode & 0o7777)
      continue
    }
    // A folder gives way to no file by itself, and a file to no folder.
    if (there && (entry.isDirectory() || there.isDirectory())) await rm(target, { recursive: true })
    await rename(source, target)
  }
}
