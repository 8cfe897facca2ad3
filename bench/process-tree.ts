import { readdirSync, readFileSync } from "node:fs"
import { cpuSeconds } from "./cpu.ts"

/** A process and all below it. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync("/proc").map(Number)) {
    if (!Number.isInteger(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8")
      parents.set(entry, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]))
    } catch {
      // It has just ended.
    }
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

/** CPU seconds of a process and all below it, those that have ended included. */
export const treeCpuSeconds = (root: number) => processTree(root).reduce((sum, pid) => sum + cpuSeconds(pid), 0)

/** Memory of a process and all below it in MB; pages that several share are counted once (PSS). */
export function treeMemory(root: number): number {
  const pss = (pid: number) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1_000
  return processTree(root).reduce((sum, pid) => sum + pss(pid), 0)
}
