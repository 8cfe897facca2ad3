import { z } from "zod"

/** Coding agents whose conversations are followed. */
export const TOOLS = ["claude", "codex", "gemini"] as const
export type Tool = (typeof TOOLS)[number]
export const TOOL_NAMES: Record<Tool, string> = { claude: "Claude Code", codex: "Codex", gemini: "Gemini CLI" }

/**
 * `working`: it goes on by itself; `waiting`: for a prompt; `asks`: something (a permission, a sign-in) that is answered in
 * its terminal; `done`: no program has it open.
 */
export const CONVERSATION_STATES = ["working", "waiting", "asks", "done"] as const
export type ConversationState = (typeof CONVERSATION_STATES)[number]
export const isWaiting = (state: ConversationState) => state === "waiting" || state === "asks"

/** Most characters of a prompt; those of emoji and the like count for two. The agent has the same limit. */
export const MOST_PROMPT = 8_000

/** It is shown at shells too, for which control characters are orders. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .transform(said => said.replace(/\p{C}/gu, " "))
const time = z.iso.datetime().transform(at => Date.parse(at))

/** A tool's own id of a conversation. */
export const ToolId = z.string().regex(/^[\w-]{8,64}$/)

/** What a machine says of conversations with coding agents. Its user is root there: it is shown and decides nothing. */
export const ConversationReport = z.object({
  at: time,
  tools: z.array(z.enum(TOOLS)).max(TOOLS.length),
  conversations: z
    .array(
      z.object({
        tool: z.enum(TOOLS),
        /** Null: nothing was said in it yet. */
        id: ToolId.nullable(),
        folder: text(400),
        title: text(400),
        last: text(800),
        at: time,
        state: z.enum(CONVERSATION_STATES),
        isInTerminal: z.boolean(),
        hasPrompt: z.boolean(),
      }),
    )
    .max(100),
})
export type ConversationReport = z.output<typeof ConversationReport>

/** What is wanted of a coding agent. `conversation` is the tool's own id; null begins a new one. */
export interface Prompt {
  tool: Tool
  conversation: string | null
  text: string
}

/** What a machine answers to a prompt. */
export const Prompted = z.object({
  id: z.string().max(64),
  refusal: z.enum(["gone", "working", "asks", "no-terminal", "no-tool", "no-folder"]).nullable(),
})
export type Refusal = NonNullable<z.output<typeof Prompted>["refusal"]>
