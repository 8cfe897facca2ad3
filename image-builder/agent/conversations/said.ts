import { messages } from "./gemini.ts"
import { type Entry, entriesOf, objectOf, partsText, type Tool, textOf, timeOf } from "./transcript.ts"

/** One thing that was said or done in a conversation. */
export interface Said {
  /** `call`: the agent has a tool do something; `result`: what came of it. */
  who: "person" | "agent" | "call" | "result"
  text: string
  /** ms since 1970; 0: not known. */
  at: number
}

/** As many of the newest as are shown. */
export const MOST_SAID = 200
/** Most characters of what was said, and of what a tool was told or has answered. */
const [MOST_TEXT, MOST_TOOL] = [20_000, 2_000]
/** What of a tool's arguments says most, in this order. */
const TELLING = ["command", "cmd", "file_path", "absolute_path", "path", "pattern", "query", "url", "prompt"]

/** The newest things in (the end of) a transcript. Pure. */
export function saidIn(tool: Tool, text: string): Said[] {
  const entries = entriesOf(text)
  const all =
    tool === "claude" ? entries.flatMap(inClaude) : tool === "codex" ? entries.flatMap(inCodex) : geminis(entries)
  return all
    .filter(one => one.text.trim() !== "")
    .slice(-MOST_SAID)
    .map(one => ({ ...one, text: cut(one) }))
}

const cut = ({ who, text }: Said) => {
  const most = who === "person" || who === "agent" ? MOST_TEXT : MOST_TOOL
  return text.length > most ? `${text.slice(0, most)}…` : text
}

function inClaude(entry: Entry): Said[] {
  if (entry.isSidechain === true || entry.isMeta === true) return []
  if (entry.type !== "user" && entry.type !== "assistant") return []
  const at = timeOf(entry.timestamp)
  const { content } = objectOf(entry.message)
  const who = entry.type === "user" ? ("person" as const) : ("agent" as const)
  const parts = Array.isArray(content) ? content.map(objectOf) : []
  const done = parts.flatMap<Said>(part =>
    part.type === "tool_use"
      ? [{ who: "call", text: callText(textOf(part.name), part.input), at }]
      : part.type === "tool_result"
        ? [{ who: "result", text: resultText(part.content), at }]
        : [],
  )
  return [{ who, text: partsText(content), at }, ...done]
}

function inCodex(entry: Entry): Said[] {
  if (entry.type !== "response_item") return []
  const at = timeOf(entry.timestamp)
  const item = objectOf(entry.payload)
  switch (item.type) {
    case "message": {
      if (item.role !== "user" && item.role !== "assistant") return []
      return [{ who: item.role === "user" ? "person" : "agent", text: partsText(item.content), at }]
    }
    case "function_call":
    case "custom_tool_call":
      return [{ who: "call", text: callText(textOf(item.name), parsed(item.arguments ?? item.input)), at }]
    case "function_call_output":
    case "custom_tool_call_output":
      return [{ who: "result", text: resultText(item.output), at }]
    default:
      return []
  }
}

/** After a conversation was resumed all that was said before stands in one change. */
function geminis(entries: Entry[]): Said[] {
  const from = entries.findLastIndex(one => Array.isArray(objectOf(one.$set).messages))
  return entries.slice(Math.max(0, from)).flatMap(messages).flatMap(inGemini)
}

function inGemini(entry: Entry): Said[] {
  if (entry.type !== "user" && entry.type !== "gemini") return []
  const at = timeOf(entry.timestamp)
  const calls = Array.isArray(entry.toolCalls) ? entry.toolCalls.map(objectOf) : []
  return [
    { who: entry.type === "user" ? "person" : "agent", text: partsText(entry.content), at },
    ...calls.flatMap<Said>(one => [
      { who: "call", text: callText(textOf(one.displayName) || textOf(one.name), one.args), at },
      { who: "result", text: resultText(one.resultDisplay), at },
    ]),
  ]
}

function callText(name: string, input: unknown): string {
  const given = objectOf(input)
  const telling = TELLING.map(key => textOf(given[key])).find(text => text !== "")
  const rest =
    telling ?? (typeof input === "string" ? input : Object.keys(given).length > 0 ? JSON.stringify(given) : "")
  return rest === "" ? name : `${name || "tool"}: ${rest}`
}

const resultText = (content: unknown) => (typeof content === "string" ? content : partsText(content))

/** Arguments that are JSON in a text. */
function parsed(given: unknown): unknown {
  try {
    return typeof given === "string" ? JSON.parse(given) : given
  } catch {
    return given
  }
}
