import { type Ends, entriesOf, objectOf, partsText, type Transcript, textOf, timeOf } from "./transcript.ts"
import { lastLineOf } from "./words.ts"

/** What Codex's transcripts say, `sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl`; null for those of its helpers. */
export function readCodex({ head, tail }: Ends): Transcript | null {
  const [first, last] = [entriesOf(head), entriesOf(tail)]
  const meta = objectOf(first.find(one => one.type === "session_meta")?.payload)
  const [id, folder] = [textOf(meta.id), textOf(meta.cwd)]
  // What one agent has another do is no conversation of a person.
  if (!/^[\w-]{8,64}$/.test(id) || folder === "" || typeof meta.source === "object") return null
  const messages = (all: typeof first) =>
    all
      .filter(one => one.type === "response_item")
      .flatMap(one => {
        const { type, role, content } = objectOf(one.payload)
        const text = type === "message" && (role === "user" || role === "assistant") ? partsText(content) : ""
        return text === "" ? [] : [{ role, text }]
      })
  const asked = [...messages(first), ...messages(last)].find(one => one.role === "user")
  const spoken = messages(last).at(-1) ?? messages(first).at(-1)
  if (asked === undefined || spoken === undefined) return null
  const turn = last.filter(one => one.type === "event_msg").map(one => textOf(objectOf(one.payload).type))
  const state = turn.findLast(type => TURN.has(type))
  return {
    ...{ tool: "codex" as const, id, folder },
    title: asked.text,
    last: lastLineOf(spoken.text),
    startedAt: timeOf(meta.timestamp),
    at: timeOf(last.at(-1)?.timestamp),
    working: state === undefined ? null : state === "task_started",
  }
}

const TURN = new Set(["task_started", "task_complete", "turn_aborted"])
