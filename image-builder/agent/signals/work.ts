import { readFile } from "node:fs/promises"
import { keyOf, type Process } from "./process-table.ts"

/** Units whose processes are a person's work, also those that have left their terminal (`nohup`, `setsid`). */
const SESSIONS = /\/(foozol-tmux|foozol-devcontainer|ssh|sshd)(@[^/]*)?\.service|\/user\.slice\//
/** What carries terminals; its own CPU is drawing. */
const CARRIERS = /^(tmux(: (server|client))?|sshd(-session)?|xterm|screen)$/

interface Seen {
  total: number
  parent: number
}

/**
 * Says how busy the work in terminals is, whether it prints anything or not: the CPU of all processes with a terminal,
 * of those in the units of terminals and SSH, of what coding agents have started, and of all their descendants. What
 * started and ended between two looks is in it, since its parent then holds its time.
 * @returns a function that takes all processes, a monotonic time (ms) and the process ids of coding agents, and
 *   answers cores in use since the last look; 0 at the first
 */
export function createWorkWatch({ proc = "/proc" }: { proc?: string } = {}) {
  let before = new Map<number, Seen & { key: string }>()
  let lookedAt: number | null = null
  let units = new Map<string, boolean>()

  /** Processes do not change units; each is asked once. */
  async function isInSession(one: Process, known: Map<string, boolean>): Promise<boolean> {
    const key = keyOf(one)
    const answer = units.get(key) ?? SESSIONS.test(await readFile(`${proc}/${one.pid}/cgroup`, "utf8").catch(() => ""))
    known.set(key, answer)
    return answer
  }

  return async (all: Process[], at: number, agents: readonly number[] = []): Promise<number> => {
    const table = new Map(all.map(one => [one.pid, one]))
    const known: typeof units = new Map()
    const own = new Set<number>()
    for (const one of all) {
      if (one.terminal !== 0 || agents.includes(one.pid) || (await isInSession(one, known))) own.add(one.pid)
    }
    units = known
    const now: typeof before = new Map()
    for (const one of all) {
      if (CARRIERS.test(one.comm) || !descends(one, table, own)) continue
      const total = one.cpuSeconds + one.reapedSeconds
      now.set(one.pid, { total, parent: one.parent, key: keyOf(one) })
    }
    const span = lookedAt === null ? 0 : (at - lookedAt) / 1_000
    const busy = span > 0 ? growth(before, now) / span : 0
    before = now
    lookedAt = at
    return busy
  }
}

/** Is it one of them, or below one? */
function descends(process: Process, table: Map<number, Process>, own: Set<number>): boolean {
  const passed = new Set<number>()
  for (let one: Process | undefined = process; one && !passed.has(one.pid); one = table.get(one.parent)) {
    if (own.has(one.pid)) return true
    passed.add(one.pid)
  }
  return false
}

/** Seconds of CPU used between two looks. What an ended process had used before is in its parent's time now. */
function growth(before: Map<number, Seen & { key: string }>, now: Map<number, Seen & { key: string }>): number {
  const isThere = (pid: number) => now.get(pid)?.key === before.get(pid)?.key
  const inherited = new Map<number, number>()
  for (const [pid, { total, parent }] of before) {
    if (isThere(pid)) continue
    let heir = parent
    while (before.has(heir) && !isThere(heir)) heir = before.get(heir)?.parent ?? 0
    inherited.set(heir, (inherited.get(heir) ?? 0) + total)
  }
  let sum = 0
  for (const [pid, { total }] of now) {
    const old = isThere(pid) ? (before.get(pid)?.total ?? 0) : 0
    sum += Math.max(0, total - old - (inherited.get(pid) ?? 0))
  }
  return sum
}
