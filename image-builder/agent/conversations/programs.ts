import { readFile, readlink } from "node:fs/promises"
import { type Process, readProcesses } from "../signals/process-table.ts"
import { agentName } from "../signals/processes.ts"
import { TOOLS, type Tool } from "./transcript.ts"

/** A coding agent that somebody can be at: it has a terminal. */
export interface Program {
  tool: Tool
  /** All of its processes on this terminal; some start themselves once more. */
  processes: { pid: number; start: string }[]
  /** Number of the terminal, as the device of `/dev/pts/N` has it. */
  terminal: number
  /** In which it works. */
  folder: string
  /** ms since 1970. */
  startedAt: number
  /** The conversation that it was started to go on with. */
  resumes: string | null
  /** It answers one question and ends: nobody is at it. */
  isAlone: boolean
}

/** Clock ticks a second in /proc (USER_HZ). */
const TICKS = 100
const ALONE: Record<Tool, RegExp> = { claude: /^(-p|--print)$/, codex: /^(exec|e)$/, gemini: /^(-p|--prompt)$/ }
const MAY_BE = /^(claude|codex|gemini|node|MainThread)$/

export async function agentPrograms(proc = "/proc"): Promise<Program[]> {
  const all = (await readProcesses(proc)).filter(({ terminal, comm }) => terminal !== 0 && MAY_BE.test(comm))
  if (all.length === 0) return []
  const bootAt = Number(/^btime (\d+)$/m.exec(await readFile(`${proc}/stat`, "utf8"))?.[1] ?? 0) * 1_000
  const found = new Map<string, Program>()
  for (const one of all.sort((a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid)) {
    const told = await tellOf(one, proc)
    if (told === null) continue
    const key = `${told.tool} ${one.terminal}`
    const known = found.get(key)
    const process = { pid: one.pid, start: one.start }
    if (known) known.processes.push(process)
    else {
      const startedAt = bootAt + (Number(one.start) / TICKS) * 1_000
      found.set(key, { ...told, processes: [process], terminal: one.terminal, startedAt })
    }
  }
  return [...found.values()]
}

/** It may end while it is looked at. */
async function tellOf(
  { pid, comm }: Process,
  proc: string,
): Promise<Pick<Program, "tool" | "folder" | "resumes" | "isAlone"> | null> {
  const commandLine = await readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => null)
  const name = commandLine === null ? null : agentName(comm, commandLine.split("\0"), TOOLS)
  const folder = await readlink(`${proc}/${pid}/cwd`).catch(() => null)
  if (name === null || folder === null) return null
  const [tool, args] = [name as Tool, commandLine?.split("\0") ?? []]
  return { tool, folder, resumes: resumedBy(args), isAlone: args.some(one => ALONE[tool].test(one)) }
}

/** `claude --resume ID`, `codex resume ID`, `gemini --resume ID`. */
export function resumedBy(args: readonly string[]): string | null {
  const at = args.findIndex(one => /^(--resume|-r|resume)$/.test(one))
  const id = at < 0 ? args.find(one => one.startsWith("--resume="))?.slice(9) : args[at + 1]
  return id !== undefined && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(id) ? id : null
}
