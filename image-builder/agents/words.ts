import type { Listed, Refused } from "../agent/conversations/protocol.ts"

export const TOOL_NAMES = { claude: "Claude Code", codex: "Codex", gemini: "Gemini CLI" } as const

export const STATES: Record<Listed["state"], { label: string; mood: string }> = {
  working: { label: "At work", mood: "busy" },
  waiting: { label: "Waits for you", mood: "rest" },
  asks: { label: "Asks you", mood: "asks" },
  done: { label: "Closed", mood: "off" },
}

/** Why nothing came of what somebody wanted, and what to do. */
export const REFUSED: Record<Refused, string> = {
  gone: "That conversation is not among the newest any more: start a new one, or go on with it in a terminal.",
  working: "It is at work: send your prompt when it waits again, or interrupt it.",
  asks: "It asks something first: answer that, then send your prompt.",
  "no-terminal": "It runs in no terminal that could be reached: go on with it where it was started.",
  "no-tool": "That program is not installed here any more: install it in a terminal, or take another one.",
  "no-folder": "The folder it worked in is gone: make it again, or start a new conversation.",
  "not-asked": "It asks nothing any more.",
  changed: "Its terminal shows something else now: look at it, then press again.",
}

export const titleOf = ({ title, tool }: Pick<Listed, "title" | "tool">) =>
  title || `New conversation with ${TOOL_NAMES[tool]}`

/** What can be done with one now, in a sentence; empty where that is plain. */
export function hintOf(one: Listed): string {
  if (one.hasPrompt) return "Your prompt is typed in as soon as it takes one."
  if (one.state === "done") return "No program has it open. Send a prompt to go on with it."
  if (one.pane !== null) return ""
  return "It does not run in a terminal of this workspace, so nothing can be typed into it from here."
}

/** May a prompt be sent to it now? */
export const takesPrompt = ({ state, pane, hasPrompt }: Listed) =>
  !hasPrompt && (state === "done" || (state === "waiting" && pane !== null))

/** How long ago, in few signs. @param ms since 1970, both */
export function agoWords(at: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now - at) / 60_000))
  if (minutes < 1) return "now"
  if (minutes < 60) return `${minutes} min`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`
  return `${Math.floor(minutes / (24 * 60))} d`
}
