import { readdir, readFile, readlink } from "node:fs/promises"
import { basename, join, sep } from "node:path"

/**
 * Ends the provider plugins whose engine is gone. The engine gives each plugin a process group of its own; an engine
 * that is killed leaves its plugins behind, and they would wait for its next request for ever.
 * @param home `PULUMI_HOME`: plugins of other engines are not touched
 * @returns how many were ended
 */
export async function endOrphanPlugins(home: string): Promise<number> {
  const plugins = join(home, "plugins") + sep
  let ended = 0
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue
    const program = await programOf(pid)
    if (!program?.startsWith(plugins)) continue
    const parent = await parentOf(pid)
    // Whoever takes in an orphan (init, or a supervisor) is no engine.
    if (parent === null || basename((await programOf(parent)) ?? "") === "pulumi") continue
    try {
      process.kill(Number(pid), "SIGKILL")
      ended++
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  return ended
}

/** Plugins that nobody ends otherwise go within this, ms: their engine was killed before its stack was locked, and all else with it. */
const LOOK_MS = 30_000
const watched = new Set<string>()

/** Ends such plugins from now on for as long as this process lives; does nothing the second time. */
export function keepEndingOrphanPlugins(home: string, everyMs = LOOK_MS): void {
  if (watched.has(home)) return
  watched.add(home)
  setInterval(() => endOrphanPlugins(home).catch(() => {}), everyMs).unref()
}

const programOf = (pid: string) => readlink(`/proc/${pid}/exe`).catch(() => null)

async function parentOf(pid: string): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null)
  return stat === null ? null : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? null)
}
