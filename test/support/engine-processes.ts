import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { basename } from "node:path"

export type EngineProcess = "engine child" | "pulumi" | "plugin"

/** What a process is of an engine's run; null: nothing of it. */
export function engineKind(pid: number): EngineProcess | null {
  const program = attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? ""
  if (basename(program) === "pulumi") return "pulumi"
  if (program.includes("/plugins/resource-")) return "plugin"
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? ""
  return words.includes("engine-run") ? "engine child" : null
}

/** Processes of engine runs that go on, or were left, in a world's folder, which is theirs alone. */
export function engineProcesses(directory: string): number[] {
  const belongs = (pid: number) =>
    engineKind(pid) !== null &&
    (attempt(() => readlinkSync(`/proc/${pid}/cwd`))?.startsWith(directory) ||
      attempt(() => readFileSync(`/proc/${pid}/environ`, "utf8"))?.includes(directory))
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(belongs)
}

/** What is looked at may end at any moment. */
export function attempt<T>(look: () => T): T | null {
  try {
    return look()
  } catch {
    return null
  }
}
