import { readFileSync } from "node:fs"

/** Clock ticks a second in /proc (USER_HZ; 100 on every Linux there is). */
const TICKS = 100

/**
 * CPU seconds that a process and all children it has waited for have used so far (fields 14 to 17 of
 * /proc/PID/stat). A run of the engine is whole in it: the engine waits for its plugins, its parent for the engine.
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS
}
