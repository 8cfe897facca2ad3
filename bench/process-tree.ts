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
export const treeMemory = (root: number): number => treeMemoryBy(root).all

/** Memory of a process and all below it in MB: all of it as {@link treeMemory} has it, and what is shared with nobody. */
export function treeMemoryBy(root: number): { all: number; own: number } {
  const sum = { all: 0, own: 0 }
  for (const pid of processTree(root)) {
    let rollup = ""
    try {
      rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
    } catch {
      // It has just ended.
    }
    const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0) / 1_000
    sum.all += megabytes("Pss")
    sum.own += megabytes("Private_Clean") + megabytes("Private_Dirty")
  }
  return sum
}
