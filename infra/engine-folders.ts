import { lstat, mkdir, readFile, rename, statfs, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type EngineConfig, PROJECT } from "./engine-config.ts"
import { InfraError } from "./errors.ts"

/** Below this much free space no run begins. A stack's state and its backups take less than 1 MB a run. */
const MIN_FREE_BYTES = 32 * 1024 ** 2

/** The folders an engine works in, on this machine. */
export interface EngineFolders {
  /** Makes them where they are missing. */
  prepare(): Promise<void>
  /**
   * Makes them, and refuses where the state could not be written to its end: the engine leaves a truncated file there.
   * @throws InfraError `disk-full`
   */
  requireRoom(): Promise<void>
}

export function engineFolders({
  home,
  workDirectory,
  backendUrl,
}: Pick<EngineConfig, "home" | "workDirectory" | "backendUrl">): EngineFolders {
  const isFolder = backendUrl.startsWith("file://")

  async function prepare(): Promise<void> {
    await mkdir(workDirectory, { recursive: true, mode: 0o700 })
    if (isFolder) await mkdir(new URL(backendUrl), { recursive: true, mode: 0o700 })
    await keepFile(join(workDirectory, "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`)
    await keepNoLogs(home)
  }

  return {
    prepare,
    async requireRoom() {
      await prepare()
      if (!isFolder) return
      const { bavail, bsize } = await statfs(new URL(backendUrl))
      if (bavail * bsize >= MIN_FREE_BYTES) return
      const free = Math.floor((bavail * bsize) / 1024 ** 2)
      throw new InfraError(
        "disk-full",
        "investigate",
        `Only ${free} MB are free where the engine keeps its state; nothing was begun. Free at least ${MIN_FREE_BYTES / 1024 ** 2} MB, then try again.`,
      )
    },
  }
}

/**
 * The engine keeps an encrypted log of each run in its home, up to 500 MB of them, and looks at every one when the next
 * run begins: a fifth of the run's CPU, for what nobody reads. Where a file has that folder's name it keeps none. A
 * folder that is there stays, and is kept small (`engineEnvironment`).
 */
async function keepNoLogs(home: string): Promise<void> {
  const path = join(home, "logs")
  const found = await lstat(path).catch(() => null)
  // Somebody else's home may be closed to us: then there are logs.
  if (found === null) await writeFile(path, "", { flag: "a", mode: 0o600 }).catch(() => {})
}

/** Gives a file its text. Other runs read it meanwhile: it is not touched where it is right, and never half written. */
async function keepFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => null)) === text) return
  const half = `${path}.${process.pid}`
  await writeFile(half, text)
  await rename(half, path)
}
