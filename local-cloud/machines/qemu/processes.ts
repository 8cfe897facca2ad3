import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks between the host's boot and the process's start. */
  startTicks: number
  /** The host's boot, since ticks begin anew with each. */
  hostBoot: string
}

/** The kernel's random name for this boot of the host. */
export function hostBoot(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
}

/**
 * The identity of a living process; null when there is none with that number. A zombie counts as gone, once all its
 * threads are: until then they hold its files, of which QEMU's own lock is one, and its memory.
 */
export function identify(pid: number): ProcessIdentity | null {
  try {
    // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if ((state === "Z" || state === "X") && readdirSync(`/proc/${pid}/task`).length <= 1) return null
    return { pid, startTicks: Number(fields[18]), hostBoot: hostBoot() }
  } catch {
    return null
  }
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  return now !== null && now.startTicks === identity.startTicks && now.hostBoot === identity.hostBoot
}

/** Memory of this host that the process has taken so far, in bytes; 0 when it is gone. */
export const residentBytes = (pid: number): number => statusBytes(pid, "VmRSS")

/** The part of it that is the process's own: what comes free when it ends, in bytes; 0 when it is gone. */
export const privateBytes = (pid: number): number => statusBytes(pid, "RssAnon")

function statusBytes(pid: number, field: "VmRSS" | "RssAnon"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** All living `qemu-system-*` processes by the directory they work in, which is their machine's. */
export function findQemu(): Map<string, ProcessIdentity[]> {
  const found = new Map<string, ProcessIdentity[]>()
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name))) {
    const directory = qemuDirectory(pid)
    const identity = directory === null ? null : identify(Number(pid))
    if (directory !== null && identity !== null) found.set(directory, [...(found.get(directory) ?? []), identity])
  }
  return found
}

/** Kills what works in directories below this one. */
export async function killQemuBelow(directory: string): Promise<void> {
  const found = [...findQemu()].filter(([folder]) => folder.startsWith(`${directory}/`))
  for (const process of found.flatMap(([, processes]) => processes)) await kill(process)
}

/** Waits until the process is gone; false when it still lives after `limit` milliseconds. */
export async function isGoneWithin(identity: ProcessIdentity, limit: number): Promise<boolean> {
  const deadline = Date.now() + limit
  while (isAlive(identity)) {
    if (Date.now() > deadline) return false
    await sleep(20)
  }
  return true
}

/** Kills exactly this process and waits until it is gone. */
export async function kill(identity: ProcessIdentity): Promise<void> {
  if (!isAlive(identity)) return
  try {
    process.kill(identity.pid, "SIGKILL")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
  if (!(await isGoneWithin(identity, 30_000)))
    throw new Error(`Process ${identity.pid} survives SIGKILL; look at the host's disk.`)
}

function qemuDirectory(pid: string): string | null {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] ?? ""
    return /(^|\/)qemu-system-[^/]*$/.test(program) ? readlinkSync(`/proc/${pid}/cwd`) : null
  } catch {
    // Gone meanwhile, or another user's.
    return null
  }
}
