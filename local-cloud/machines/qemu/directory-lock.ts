import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { readJson } from "./files.ts"
import { identify, isAlive, type ProcessIdentity } from "./processes.ts"

/**
 * Makes this process the only one that works in `directory` until the returned function is called.
 * The lock of a process that has died is taken over; throws when its holder lives.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, "lock.json")
  const self = JSON.stringify(identify(process.pid))
  for (;;) {
    try {
      await writeFile(path, self, { flag: "wx", mode: 0o600 })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
    const holder = await readJson<ProcessIdentity>(path).catch(() => null)
    if (holder !== null && isAlive(holder) && holder.pid !== process.pid) {
      throw new Error(
        `Process ${holder.pid} already runs the machines in ${directory}; stop it or use another directory.`,
      )
    }
    await rm(path, { force: true })
  }
}
