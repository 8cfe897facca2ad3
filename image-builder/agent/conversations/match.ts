import type { ClaudeSession } from "./claude.ts"
import type { AgentPane } from "./panes.ts"
import type { Program } from "./programs.ts"
import type { Tool, Transcript } from "./transcript.ts"

/**
 * `working`: it goes on by itself; `waiting`: for what is asked next; `asks`: something (a permission, a sign-in) that is
 * answered in its terminal; `done`: no program has it open.
 */
export type State = "working" | "waiting" | "asks" | "done"

/** A conversation and the program that has it open. */
export interface Conversation {
  tool: Tool
  /** The tool's own id; null: nothing was said in it yet. */
  id: string | null
  folder: string
  title: string
  last: string
  /** ms; of one in which nothing was said, since when its program runs. */
  at: number
  state: State
  /** tmux's pane that it is in; null: none that is known. */
  pane: string | null
}

export interface Found {
  transcripts: Transcript[]
  programs: Program[]
  sessions: ClaudeSession[]
  panes: AgentPane[]
  /** What panes show in which a program has no conversation yet. */
  screens: ReadonlyMap<string, string>
}

/** A program's first line may be as much older than its clock says. */
const SLACK_MS = 5_000

/** Which program has which conversation open, and how each is. Pure. */
export function matched(found: Found): Conversation[] {
  const { transcripts, programs, panes, screens } = found
  const open = new Map<Transcript, Conversation>()
  const unsaid: Conversation[] = []
  // The newest program first: what began after it is its own rather than an older one's.
  for (const program of programs.toSorted((a, b) => b.startedAt - a.startedAt)) {
    const pane = panes.find(({ terminal }) => terminal === program.terminal) ?? null
    const session = sessionOf(program, found.sessions)
    const transcript = transcriptOf(
      program,
      session,
      transcripts.filter(one => !open.has(one)),
    )
    const state = stateOf({ program, session, transcript, pane, screen: screens.get(pane?.id ?? "") })
    const { tool, folder, startedAt } = program
    const its = { state, pane: pane?.id ?? null }
    if (transcript) open.set(transcript, { ...plain(transcript), ...its })
    else if (!program.isAlone && pane)
      unsaid.push({ tool, id: null, folder, title: "", last: "", at: startedAt, ...its })
  }
  const said = transcripts.map(one => open.get(one) ?? { ...plain(one), state: "done" as const, pane: null })
  return [...unsaid, ...said].sort((a, b) => b.at - a.at)
}

const plain = ({ tool, id, folder, title, last, at }: Transcript) => ({ tool, id, folder, title, last, at })

export const sessionOf = ({ tool, processes }: Program, sessions: ClaudeSession[]): ClaudeSession | null =>
  (tool === "claude" &&
    sessions.find(({ pid, start }) => processes.some(one => one.pid === pid && one.start === start))) ||
  null

function transcriptOf(program: Program, session: ClaudeSession | null, free: Transcript[]): Transcript | null {
  const { tool, folder, startedAt, resumes, isAlone } = program
  const its = free.filter(one => one.tool === tool)
  if (tool === "claude" && !isAlone) return its.find(({ id }) => id === session?.id) ?? null
  const here = its.filter(one => one.folder === folder && one.at >= startedAt - SLACK_MS)
  const begun = here.filter(one => one.startedAt >= startedAt - SLACK_MS)
  const newest = (all: Transcript[]) => all.toSorted((a, b) => b.at - a.at)[0]
  // Begun in it, named to it, or chosen in it.
  return newest(begun) ?? its.find(({ id }) => id === resumes) ?? newest(here) ?? null
}

interface Seen {
  program: Program
  session: ClaudeSession | null
  transcript: Transcript | null
  pane: AgentPane | null
  screen: string | undefined
}

function stateOf({ program: { tool, isAlone }, session, transcript, pane, screen }: Seen): State {
  if (isAlone) return "working"
  // It tells of itself from when it takes prompts on: before, it asks whether to trust a folder, or to sign in.
  if (tool === "claude")
    return session === null ? "asks" : (session.state ?? (transcript?.working ? "working" : "waiting"))
  const title = pane?.title ?? ""
  if (title.includes("Action Required")) return "asks"
  if (transcript === null) return screen !== undefined && takesPrompts(tool, screen) ? "waiting" : "asks"
  if (tool === "codex") return transcript.working ? "working" : "waiting"
  return title.startsWith("✦") ? "working" : "waiting"
}

/** Does a program's screen show the field in which prompts are typed, with nothing in it? */
export function takesPrompts(tool: Tool, screen: string): boolean {
  if (tool === "gemini") return / >\s+Type your message/.test(screen)
  // Where it asks something it has its mark before a number.
  return tool === "codex" && /^› (?!\d+\.)/m.test(screen) && !/Press enter to (continue|confirm)/i.test(screen)
}
