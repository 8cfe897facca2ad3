import { readFile } from "node:fs/promises"
import { hostname } from "node:os"
import type { StateFiles } from "./state-files/contract.ts"

/** A lock of the engine's backend, as it lies there. It has no end of its own: a killed engine leaves it. */
export interface StackLock {
  pid: number
  hostname: string
  /** When it was taken, milliseconds since 1970. */
  takenAt: number
}

/** When a process of this host began, milliseconds since 1970; null when there is none of this id. */
export type StartOf = (pid: number) => Promise<number | null>

/** The clock of `/proc` counts in hundredths of a second, and the lock's time is written by another one. */
const SLACK_MS = 2_000

/**
 * Is whoever took a lock proven dead? Its process must have been one of this host and be gone; another process of the
 * same id began after the lock was taken. What another host has taken is never proven from here.
 */
export async function isDead(lock: StackLock, host: string, startOf: StartOf): Promise<boolean> {
  if (lock.hostname !== host) return false
  const began = await startOf(lock.pid)
  return began === null || began > lock.takenAt + SLACK_MS
}

/** A lock out of its file; null for what is none, or not whole yet. */
export function parseLock(text: string): StackLock | null {
  try {
    const { pid, hostname: host, timestamp } = JSON.parse(text) as Record<string, unknown>
    const takenAt = Date.parse(String(timestamp))
    if (typeof pid !== "number" || typeof host !== "string" || Number.isNaN(takenAt)) return null
    return { pid, hostname: host, takenAt }
  } catch {
    return null
  }
}

/** Who holds a stack. */
export interface Holder extends StackLock {
  /** Is that process proven dead, as seen from here? */
  isDead: boolean
}

/** What is known here of those who took the locks. */
export function judgeLocks(locks: StackLock[]): Promise<Holder[]> {
  return Promise.all(locks.map(async lock => ({ ...lock, isDead: await isDead(lock, hostname(), processStart) })))
}

/** The locks below a folder, with the names of their files. */
export async function locksIn(files: StateFiles, folder: string): Promise<{ name: string; lock: StackLock }[]> {
  const names = (await files.list(folder)).filter(name => name.endsWith(".json"))
  const found = await Promise.all(names.map(async name => ({ name, lock: parseLock((await files.read(name)) ?? "") })))
  return found.flatMap(({ name, lock }) => (lock === null ? [] : [{ name, lock }]))
}

/**
 * Removes the locks below a folder whose holders are proven dead.
 * @param folder of one stack, or of all
 * @returns how many were removed
 */
export async function removeDeadLocks(
  files: StateFiles,
  folder: string,
  startOf: StartOf = processStart,
): Promise<number> {
  let removed = 0
  for (const { name, lock } of await locksIn(files, folder)) {
    if (!(await isDead(lock, hostname(), startOf))) continue
    await files.remove(name)
    removed++
  }
  return removed
}

/** Clock ticks a second in /proc/PID/stat: 100 on every architecture Linux runs Node on (USER_HZ). */
const TICKS_PER_SECOND = 100

/** When a process of this host began. */
export async function processStart(pid: number): Promise<number | null> {
  const [stat, system] = await Promise.all(
    [`/proc/${pid}/stat`, "/proc/stat"].map(path => readFile(path, "utf8").catch(() => null)),
  )
  if (!stat || !system) return null
  // Field 22, counted behind the name, which may hold anything in its parentheses.
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19])
  const boot = Number(/^btime (\d+)$/m.exec(system)?.[1])
  return boot * 1000 + (ticks / TICKS_PER_SECOND) * 1000
}
