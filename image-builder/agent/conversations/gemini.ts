import { type Ends, type Entry, entriesOf, objectOf, partsText, type Transcript, textOf, timeOf } from "./transcript.ts"
import { lastLineOf } from "./words.ts"

/**
 * What Gemini CLI's transcripts say, `tmp/NAME/chats/session-TIME-ID.jsonl`: messages, and changes to the whole.
 * @param folder the one that the project's `.project_root` names
 */
export function readGemini(folder: string, { head, tail }: Ends): Transcript | null {
  const [first, last] = [entriesOf(head).flatMap(messages), entriesOf(tail).flatMap(messages)]
  const meta = first.find(one => typeof one.sessionId === "string") ?? {}
  const id = textOf(meta.sessionId)
  if (!/^[\w-]{8,64}$/.test(id) || folder === "" || textOf(meta.kind) === "subagent") return null
  const asked = [...first, ...last].find(one => one.type === "user" && said(one) !== "")
  const spoken = last.findLast(one => (one.type === "user" || one.type === "gemini") && said(one) !== "") ?? asked
  if (asked === undefined || spoken === undefined) return null
  const end = last.findLast(one => one.type === "user" || one.type === "gemini")
  const updated = last.map(one => objectOf(one.$set).lastUpdated).findLast(at => at !== undefined)
  return {
    ...{ tool: "gemini" as const, id, folder },
    title: said(asked),
    last: lastLineOf(said(spoken)),
    startedAt: timeOf(meta.startTime),
    at: Math.max(timeOf(end?.timestamp), timeOf(updated)),
    // Whether a call of a tool is under way is not in it before that has ended.
    working: null,
  }
}

/** All messages there were stand in one change after a conversation was resumed. */
export const messages = (entry: Entry): Entry[] => {
  const all = objectOf(entry.$set).messages
  return Array.isArray(all) ? [...all.map(objectOf), entry] : [entry]
}

const said = (entry: Entry) => partsText(entry.content)
