import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { type Ends, entriesOf, objectOf, partsText, readEnds, type Transcript, textOf, timeOf } from "./transcript.ts"
import { lastLineOf } from "./words.ts"

/** What Claude Code's transcripts say, `projects/FOLDER/ID.jsonl`: one entry a line, of which some are what was said. */
export function readClaude(id: string, { head, tail }: Ends): Transcript | null {
  const [first, last] = [entriesOf(head), entriesOf(tail)]
  const isSaid = (entry: Record<string, unknown>) =>
    (entry.type === "user" || entry.type === "assistant") && entry.isSidechain !== true && entry.isMeta !== true
  const asked = [...first, ...last].find(one => one.type === "user" && isSaid(one) && said(one) !== "")
  const newest = last.filter(isSaid)
  const spoken = newest.findLast(one => said(one) !== "") ?? asked
  const folder = [...newest.toReversed(), ...first].map(one => textOf(one.cwd)).find(cwd => cwd !== "")
  if (asked === undefined || spoken === undefined || folder === undefined) return null
  const end = newest.at(-1)
  return {
    ...{ tool: "claude" as const, id, folder },
    title: said(asked),
    last: lastLineOf(said(spoken)),
    startedAt: timeOf(asked.timestamp),
    at: timeOf(end?.timestamp),
    // An answer that ends in the call of a tool goes on with what that says.
    working: !(end?.type === "assistant" && objectOf(end.message).stop_reason !== "tool_use"),
  }
}

const said = (entry: Record<string, unknown>) => partsText(objectOf(entry.message).content)

/** A program that runs, as it tells of itself in `sessions/PID.json`. */
export interface ClaudeSession {
  pid: number
  /** Of /proc/PID/stat: process ids are used again. */
  start: string
  id: string
  folder: string
  /** `working`; `waiting` for the next prompt; `asks` something that only its terminal can answer. */
  state: "working" | "waiting" | "asks" | null
}

/** Reads one; null for another shape. `shell`: it waits, while something of its own goes on. */
export function parseSession(text: string): ClaudeSession | null {
  const [given = {}] = entriesOf(text.replaceAll("\n", " "))
  const { pid, procStart, sessionId, cwd, status } = given
  if (typeof pid !== "number" || typeof procStart !== "string" || !isId(sessionId) || typeof cwd !== "string")
    return null
  const state = ({ busy: "working", idle: "waiting", shell: "waiting", waiting: "asks" } as const)[textOf(status)]
  return { pid, start: procStart, id: sessionId, folder: cwd, state: state ?? null }
}

const isId = (given: unknown): given is string => typeof given === "string" && /^[\w-]{8,64}$/.test(given)

/**
 * Those that have a file; whether they run is for their process to say. What is just being written is as it was before.
 * @returns a function that takes CLAUDE_CONFIG_DIR
 */
export function createSessionReader(): (folder: string) => Promise<ClaudeSession[]> {
  let known = new Map<string, ClaudeSession>()
  return async folder => {
    const names = await readdir(join(folder, "sessions")).catch(() => [])
    const next: typeof known = new Map()
    for (const name of names.filter(name => /^\d+\.json$/.test(name)).slice(0, 100)) {
      const ends = await readEnds(join(folder, "sessions", name))
      const session = (ends && parseSession(ends.head)) ?? known.get(name)
      if (session) next.set(name, session)
    }
    known = next
    return [...next.values()]
  }
}
