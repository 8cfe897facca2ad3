import { readdir, readFile } from "node:fs/promises"
import { basename } from "node:path"

/** Clock ticks a second in /proc (USER_HZ). */
const TICKS = 100

/** Programs that work on their own for a person who is away; `node` stands for builds and servers of theirs. */
export const AGENT_NAMES = ["codex", "claude", "gemini", "opencode", "aider", "cursor-agent", "copilot", "amp", "node"]
const INTERPRETERS = /^(node|nodejs|bun|deno|python[\d.]*|MainThread)$/

export interface AgentProcess {
  name: string
  pid: number
  /** Share of one core since the last look: 1 is one core busy. */
  cpu: number
}

/** Name, CPU seconds and start of a process out of /proc/PID/stat; null when it is none. */
export function parseStat(text: string): { comm: string; cpuSeconds: number; start: string } | null {
  // The name may hold anything, brackets and spaces too; it ends at the last bracket.
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")]
  const fields = text.slice(close + 2).split(" ")
  if (open < 0 || close < open || fields.length < 20) return null
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS
  return { comm: text.slice(open + 1, close), cpuSeconds, start: fields[19] ?? "" }
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

/** Looks for processes by name again and again, and says how busy each was since the last look. */
export function createProcessWatch(options: { proc?: string; names?: readonly string[]; self?: number } = {}) {
  const { proc = "/proc", names = AGENT_NAMES, self = process.pid } = options
  let before = new Map<string, { cpuSeconds: number; at: number }>()
  return async (now: number): Promise<AgentProcess[]> => {
    const seen: typeof before = new Map()
    const found: AgentProcess[] = []
    for (const entry of await readdir(proc).catch(() => [])) {
      const pid = Number(entry)
      if (!Number.isInteger(pid) || pid === self) continue
      try {
        const stat = parseStat(await readFile(`${proc}/${entry}/stat`, "utf8"))
        if (!stat || (!names.includes(stat.comm) && !INTERPRETERS.test(stat.comm))) continue
        const commandLine = (await readFile(`${proc}/${entry}/cmdline`, "utf8")).split("\0")
        const name = agentName(stat.comm, commandLine, names)
        if (name === null) continue
        const key = `${pid}:${stat.start}`
        const last = before.get(key)
        seen.set(key, { cpuSeconds: stat.cpuSeconds, at: now })
        const cpu = last && now > last.at ? (stat.cpuSeconds - last.cpuSeconds) / ((now - last.at) / 1_000) : 0
        found.push({ name, pid, cpu: Math.round(cpu * 1_000) / 1_000 })
      } catch {
        // It ended while it was looked at.
      }
    }
    before = seen
    return found
  }
}
