import type { State } from "./match.ts"
import type { Said } from "./said.ts"
import type { Tool } from "./transcript.ts"

/**
 * What goes between the page of conversations and the agent: one WebSocket, each message one JSON object. The page has
 * `Wish`es, the agent `Word`s.
 */
export type Wish =
  | { do: "open"; ref: string }
  | { do: "leave" }
  /** `ref` null: a new conversation with `tool`. `number` comes back in the answer. */
  | { do: "prompt"; number: number; ref: string | null; tool: Tool; text: string }
  | { do: "press"; number: number; ref: string; key: Key }

export type Word =
  | { is: "list"; tools: Tool[]; conversations: Listed[] }
  /** Of what was shown of this one, the first `drop` go and all from `keep` on; then `more` follow. */
  | { is: "said"; ref: string; drop: number; keep: number; more: Said[] }
  /** What its terminal shows, where that asks something; null: it does not. */
  | { is: "screen"; ref: string; text: string | null }
  | { is: "answer"; number: number; refusal: Refused | null }

/** Why nothing came of a wish. */
export type Refused =
  | ("gone" | "working" | "asks" | "no-terminal" | "no-tool" | "no-folder")
  /** The program asks nothing that a key would answer. */
  | "not-asked"
  /** Its terminal shows something else than what the page has shown. */
  | "changed"

/** A conversation in the list. */
export interface Listed {
  /** Names it on this page. */
  ref: string
  tool: Tool
  folder: string
  title: string
  last: string
  /** ms since 1970. */
  at: number
  state: State
  /** Of tmux, in which its program runs; null: none that is known. */
  pane: string | null
  /** Waits with a prompt for its program to take one. */
  hasPrompt: boolean
}

/** Keys that answer what programs ask, as tmux names them. */
export const KEYS = ["1", "2", "3", "4", "5", "y", "n", "Enter", "Escape", "Up", "Down", "Tab"] as const
export type Key = (typeof KEYS)[number]

/** Longest message from a page: a prompt of 8,000 signs, each four bytes or six in JSON. */
export const MAX_WISH = 64 * 1024
const MOST_PROMPT = 8_000

/** What a page asks for, or null when it is nothing that can be asked. */
export function readWish(bytes: Uint8Array): Wish | null {
  if (bytes.length > MAX_WISH) return null
  let given: Record<string, unknown>
  try {
    given = JSON.parse(new TextDecoder().decode(bytes)) ?? {}
  } catch {
    return null
  }
  const ref = typeof given.ref === "string" && /^(claude|codex|gemini):[%\w-]{1,64}$/.test(given.ref) ? given.ref : null
  const number = Number.isSafeInteger(given.number) ? (given.number as number) : null
  switch (given.do) {
    case "leave":
      return { do: "leave" }
    case "open":
      return ref === null ? null : { do: "open", ref }
    case "press": {
      const key = KEYS.find(one => one === given.key)
      return ref === null || number === null || key === undefined ? null : { do: "press", number, ref, key }
    }
    case "prompt": {
      const { text } = given
      const tool = (["claude", "codex", "gemini"] as const).find(one => one === given.tool)
      if (typeof text !== "string" || text.trim() === "" || text.length > MOST_PROMPT) return null
      if (number === null || tool === undefined || (given.ref !== null && ref === null)) return null
      return { do: "prompt", number, ref, tool, text }
    }
    default:
      return null
  }
}
