import { readFileSync } from "node:fs"
import { statfs } from "node:fs/promises"
import { NoRoomError } from "../contract.ts"
import { isDiskFull } from "./files.ts"

/** What stays free on this host, in bytes. */
export interface Reserve {
  memoryBytes: number
  diskBytes: number
}

/** Memory of the host that can be had without swapping, in bytes. */
export function availableMemory(): number {
  return Number(/^MemAvailable:\s*(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024
}

/** Free disk below `directory` for this user, in bytes. */
export async function freeDisk(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/**
 * Memory that a machine may still take on top of what it holds, in bytes.
 * @param overcommit 1: all that it was given; 2: half of that, if it does not hold more already
 */
export const stillPromised = (givenBytes: number, heldBytes: number, overcommit: number): number =>
  Math.max(0, givenBytes / overcommit - heldBytes)

/**
 * Throws NoRoomError unless a machine of this size fits. `promised` is the memory that running machines may still take:
 * what they were given less what they hold, since what they hold is missing from `available` already.
 */
export function checkMemory(
  wanted: number,
  available: number,
  promised: number,
  reserve: number,
  overcommit = 1,
): void {
  const left = available - promised - reserve
  if (stillPromised(wanted, 0, overcommit) <= left) return
  throw new NoRoomError(
    `A machine with ${gib(wanted)} of memory does not fit: ${gib(available)} are available, ${gib(promised)} of that are promised ` +
      `to running machines and ${gib(reserve)} stay in reserve; stop a machine or take a smaller one.`,
  )
}

/** Throws NoRoomError unless `wanted` bytes can be written and the reserve still stays free. */
export function checkDisk(wanted: number, free: number, reserve: number): void {
  if (wanted + reserve <= free) return
  const need = wanted === 0 ? "" : `${gib(wanted)} are needed, `
  throw new NoRoomError(
    `The disk is too full: ${need}${gib(free)} are free and ${gib(reserve)} stay in reserve; remove machines or snapshots.`,
  )
}

/** Runs `task`; when the disk becomes full under it, throws a NoRoomError that says what it was at. */
export async function needingDisk<T>(what: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (!isDiskFull(error)) throw error
    throw new NoRoomError(`The disk became full: ${what}; remove machines or snapshots and try again.`, {
      cause: error,
    })
  }
}

function gib(bytes: number): string {
  return `${(Math.max(0, bytes) / 1024 ** 3).toFixed(1)} GiB`
}
