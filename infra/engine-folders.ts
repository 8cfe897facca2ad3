import { mkdir, readFile, rename, statfs, writeFile } from "node:fs/promises"
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
  workDirectory,
  backendUrl,
}: Pick<EngineConfig, "workDirectory" | "backendUrl">): EngineFolders {
  const isFolder = backendUrl.startsWith("file://")

  async function prepare(): Promise<void> {
    await mkdir(workDirectory, { recursive: true, mode: 0o700 })
    if (isFolder) await mkdir(new URL(backendUrl), { recursive: true, mode: 0o700 })
    await keepFile(join(workDirectory, "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`)
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

/** Gives a file its text. Other runs read it meanwhile: it is not touched where it is right, and never half written. */
async function keepFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => null)) === text) return
  const half = `${path}.${process.pid}`
  await writeFile(half, text)
  await rename(half, path)
}
