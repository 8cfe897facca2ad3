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
export function treeCpuSeconds(root: number): number {
  const used = (pid: number) => {
    try {
      return cpuSeconds(pid)
    } catch {
      // It has just ended; whoever waited for it has it.
      return 0
    }
  }
  // Children first: what moves to its parent meanwhile is counted there.
  return processTree(root)
    .reverse()
    .reduce((sum, pid) => sum + used(pid), 0)
}

/** Memory of a process and all below it in MB; pages that several share are counted once (PSS). */
export function treeMemory(root: number): number {
  const pss = (pid: number) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1_000
    } catch {
      // It has just ended.
      return 0
    }
  }
  return processTree(root).reduce((sum, pid) => sum + pss(pid), 0)
}
