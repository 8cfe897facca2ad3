import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"

/** How to reach a local cloud that runs on this machine; kept in its folder while it runs. */
export const Runtime = z.object({
  pid: z.int(),
  /** Start time of that process in clock ticks since boot: tells it from another one with its number. */
  startTicks: z.string(),
  apiUrl: z.string(),
  token: z.string(),
  adminUrl: z.string(),
  adminToken: z.string(),
  routerPort: z.int(),
  dnsPort: z.int(),
  /** Where machines find a service that is a machine here, see network/service-door.ts. */
  doorPort: z.int().default(0),
  machines: z.enum(["qemu", "none"]),
  /** The stand-in for GitHub: pages at its root, the API under /api/v3, and its one OAuth app. Null when it is off. */
  signIn: z.object({ url: z.string(), clientId: z.string(), clientSecret: z.string() }).nullable().default(null),
})
export type Runtime = z.output<typeof Runtime>

const file = (directory: string) => join(directory, "runtime.json")

/** The local cloud that runs from this folder, or null. A file left by a process that died does not count. */
export function readRuntime(directory: string): Runtime | null {
  if (!existsSync(file(directory))) return null
  const parsed = Runtime.safeParse(JSON.parse(readFileSync(file(directory), "utf8")))
  return parsed.success && startTicks(parsed.data.pid) === parsed.data.startTicks ? parsed.data : null
}

/** Writes the file whole or not at all; it holds tokens, so only this user may read it. */
export function writeRuntime(directory: string, runtime: Runtime): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const half = `${file(directory)}.${process.pid}`
  writeFileSync(half, `${JSON.stringify(runtime, null, 2)}\n`, { mode: 0o600 })
  renameSync(half, file(directory))
}

export function removeRuntime(directory: string): void {
  rmSync(file(directory), { force: true })
}

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); empty when there is none. */
export function startTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The program's name is in brackets and may hold blanks; the fields after it are counted.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}
