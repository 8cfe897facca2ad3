import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"

export const TOOLS = ["claude", "codex", "gemini"] as const
export type Tool = (typeof TOOLS)[number]

/** A conversation as its transcript tells of it. */
export interface Transcript {
  tool: Tool
  /** The tool's own id of it, by which it is resumed. */
  id: string
  folder: string
  /** What a person asked first. */
  title: string
  /** What was said last by either side, its last line. */
  last: string
  /** When it began, and when something was said last, in ms. */
  startedAt: number
  at: number
  /** Does the program work on an answer? null: the transcript does not tell. */
  working: boolean | null
  /** Where it lies. */
  path?: string
}

/** The beginning and the end of a transcript; of a short one the end is all of it. */
export interface Ends {
  head: string
  tail: string
}

/** Programs write whole requests into transcripts, so that the last words may lie far from the end. */
const [HEAD, TAIL] = [64 * 1024, 512 * 1024]

/**
 * Reads both ends of a file that its user may have made anything of: no link is followed at its end, no pipe is waited
 * for. @returns null for what is no file
 */
export async function readEnds(
  path: string,
  ends: { head: number; tail: number } = { head: HEAD, tail: TAIL },
): Promise<Ends | null> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
  const file = await open(path, flags).catch(() => null)
  if (file === null) return null
  try {
    const found = await file.stat()
    if (!found.isFile()) return null
    const head = await part(file, 0, Math.min(ends.head, found.size))
    const from = Math.max(0, found.size - ends.tail)
    const tail = from === 0 && found.size <= ends.head ? head : await part(file, from, found.size - from)
    // The first line of the tail is half a line, unless it is the file's.
    return { head, tail: from === 0 ? tail : tail.slice(tail.indexOf("\n") + 1) }
  } catch {
    return null
  } finally {
    await file.close()
  }
}

async function part(file: FileHandle, from: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
  return buffer.toString("utf8", 0, bytesRead)
}

export type Entry = Record<string, unknown>

/** Lines of JSON, each an object; what is none is left out, the last one may be half written. */
export function entriesOf(text: string): Entry[] {
  return text.split("\n").flatMap(line => {
    if (!line.startsWith("{")) return []
    try {
      return [JSON.parse(line) as Entry]
    } catch {
      return []
    }
  })
}

export const objectOf = (given: unknown): Entry => (typeof given === "object" && given !== null ? (given as Entry) : {})
export const textOf = (given: unknown): string => (typeof given === "string" ? given : "")
export const timeOf = (given: unknown): number => {
  const at = typeof given === "string" ? Date.parse(given) : Number.NaN
  return Number.isFinite(at) ? at : 0
}

/** The text in the parts of a message, whichever of them have one; programs' own reminders to the model are none. */
export function partsText(content: unknown): string {
  if (typeof content === "string") return isReminder(content) ? "" : content
  if (!Array.isArray(content)) return ""
  const texts = content.map(one => textOf(objectOf(one).text)).filter(text => text !== "" && !isReminder(text))
  return texts.join("\n")
}

const isReminder = (text: string) => /^\s*<[a-z][\w-]*[\s>]/i.test(text)
