import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { keyOf, type Process } from "./process-table.ts"

/** Programs that work on their own for a person who is away; `node` stands for builds and servers of theirs. */
export const AGENT_NAMES = ["codex", "claude", "gemini", "opencode", "aider", "cursor-agent", "copilot", "amp", "node"]
const INTERPRETERS = /^(node|nodejs|bun|deno|python[\d.]*|MainThread)$/

export interface AgentProcess {
  name: string
  pid: number
  /** Share of one core since the last look: 1 is one core busy. */
  cpu: number
}

/** What a process is called among the names looked for: by its program, or by the script its interpreter runs. */
export function agentName(comm: string, commandLine: string[], names: readonly string[]): string | null {
  const plain = (path: string | undefined) => basename(path ?? "").replace(/\.(c|m)?js$|\.py$|\.exe$/, "")
  const candidates = [comm, plain(commandLine[0])]
  if (candidates.some(one => INTERPRETERS.test(one))) {
    const script = commandLine.slice(1).find(argument => !argument.startsWith("-"))
    const found = names.find(name => name === plain(script))
    // Packages are started by a file of their own: .../@openai/codex/bin/cli.js.
    const inside = names.find(
      name =>
        name !== "node" &&
        script?.split("/").some(part => part === name || part === `${name}-cli` || part === `${name}-code`),
    )
    if (found ?? inside) return found ?? inside ?? null
  }
  return names.find(name => candidates.includes(name)) ?? null
}

/**
 * Looks for processes by name again and again, and says how busy each was since the last look.
 * @returns a function that takes all processes and the time of the look in ms
 */
export function createProcessWatch(options: { proc?: string; names?: readonly string[]; self?: number } = {}) {
  const { proc = "/proc", names = AGENT_NAMES, self = process.pid } = options
  let before = new Map<string, { cpuSeconds: number; at: number }>()
  return async (all: Process[], now: number): Promise<AgentProcess[]> => {
    const seen: typeof before = new Map()
    const found: AgentProcess[] = []
    for (const one of all) {
      if (one.pid === self || (!names.includes(one.comm) && !INTERPRETERS.test(one.comm))) continue
      // It may end while it is looked at.
      const commandLine = await readFile(`${proc}/${one.pid}/cmdline`, "utf8").catch(() => null)
      const name = commandLine === null ? null : agentName(one.comm, commandLine.split("\0"), names)
      if (name === null) continue
      const last = before.get(keyOf(one))
      seen.set(keyOf(one), { cpuSeconds: one.cpuSeconds, at: now })
      const cpu = last && now > last.at ? (one.cpuSeconds - last.cpuSeconds) / ((now - last.at) / 1_000) : 0
      found.push({ name, pid: one.pid, cpu: Math.round(cpu * 1_000) / 1_000 })
    }
    before = seen
    return found
  }
}
