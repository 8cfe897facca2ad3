import { chmod, lstat, readdir, statfs } from "node:fs/promises"
import { userInfo } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Config } from "./config.ts"

/** `f_type` of tmpfs and ramfs, from linux/magic.h. */
const MEMORY = new Set([0x01021994, 0x858458f6])
/** What others than the owner may do. */
const OTHERS = 0o077

/** The folders below which lies what must not be lost or read: by the setting that names each. */
export function dataFolders(
  config: Pick<Config, "usageDirectory" | "auditDirectory">,
  cloud: { backendUrl: string; workDirectory: string },
): Record<string, string> {
  return {
    FOOZOL_USAGE_DIRECTORY: config.usageDirectory,
    FOOZOL_AUDIT_DIRECTORY: config.auditDirectory,
    ...(cloud.backendUrl.startsWith("file://") ? { FOOZOL_BACKEND_URL: fileURLToPath(cloud.backendUrl) } : {}),
  }
}

/**
 * Sees to it that nobody else reads or changes what lies below some folders: folders 0700, files 0600. What is not ours
 * to change is told.
 * @param folders by the setting that names each; one that is not there yet is made with the right mode by who needs it
 * @returns how much was mended, and what is wrong, a sentence each
 */
export async function protectFolders(
  folders: Record<string, string>,
  { mend = true }: { mend?: boolean } = {},
): Promise<{ mended: number; warnings: string[] }> {
  const warnings: string[] = []
  let mended = 0
  for (const [setting, folder] of Object.entries(folders)) {
    const wide: string[] = []
    let isThere = false
    for await (const { path, mode, uid } of entriesOf(folder)) {
      isThere = true
      if ((mode & OTHERS) === 0 && uid === userInfo().uid) continue
      const isMended =
        mend &&
        (await chmod(path, mode & 0o700)
          .then(() => true)
          .catch(() => false))
      if (isMended && uid === userInfo().uid) mended++
      else wide.push(path)
    }
    const [first] = wide
    if (first !== undefined) {
      const more = wide.length > 1 ? ` and ${wide.length - 1} more` : ""
      warnings.push(
        `${first}${more} (${setting}) can be reached by other users: give it to the service's own user and take everybody else's rights away.`,
      )
    }
    if (!isThere) continue
    const { type } = await statfs(folder)
    if (MEMORY.has(type))
      warnings.push(
        `${folder} (${setting}) lies in memory and is gone when this machine restarts: name a folder on a disk.`,
      )
  }
  return { mended, warnings }
}

/** A folder and all that lies below it. Links are neither followed nor told: they have no rights of their own. */
async function* entriesOf(path: string): AsyncGenerator<{ path: string; mode: number; uid: number }> {
  const found = await lstat(path).catch(() => null)
  if (!found || found.isSymbolicLink()) return
  yield { path, mode: found.mode & 0o777, uid: found.uid }
  if (!found.isDirectory()) return
  for (const name of await readdir(path).catch(() => [])) yield* entriesOf(join(path, name))
}
