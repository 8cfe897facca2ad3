import { readdir, readFile } from "node:fs/promises"

/** Clock ticks a second in /proc (USER_HZ). */
const TICKS = 100

/** A process as /proc/PID/stat tells of it. */
export interface ProcessStat {
  comm: string
  parent: number
  /** Number of its controlling terminal; 0 for none. */
  terminal: number
  cpuSeconds: number
  /** CPU of children that have ended and of theirs. */
  reapedSeconds: number
  /** With the process id it names one process, however often numbers are used again. */
  start: string
}
export interface Process extends ProcessStat {
  pid: number
}

/** Reads a line of /proc/PID/stat; null when it is none. */
export function parseStat(text: string): ProcessStat | null {
  // The name may hold anything, brackets and spaces too; it ends at the last bracket.
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")]
  const fields = text.slice(close + 2).split(" ")
  if (open < 0 || close < open || fields.length < 20) return null
  const seconds = (...places: number[]) => places.reduce((sum, place) => sum + Number(fields[place]), 0) / TICKS
  return {
    comm: text.slice(open + 1, close),
    parent: Number(fields[1]),
    terminal: Number(fields[4]),
    cpuSeconds: seconds(11, 12),
    reapedSeconds: seconds(13, 14),
    start: fields[19] ?? "",
  }
}

/** All processes there are. */
export async function readProcesses(proc = "/proc"): Promise<Process[]> {
  const found: Process[] = []
  for (const entry of await readdir(proc).catch(() => [])) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    // It may end while it is looked at.
    const stat = parseStat(await readFile(`${proc}/${entry}/stat`, "utf8").catch(() => ""))
    if (stat) found.push({ pid, ...stat })
  }
  return found
}

export const keyOf = ({ pid, start }: Pick<Process, "pid" | "start">) => `${pid}:${start}`
