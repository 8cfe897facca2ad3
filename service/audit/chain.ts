import { createHash } from "node:crypto"
import { type AuditEntry, parseEntry } from "./entry.ts"

/**
 * Lines of the audit log, each bound to the one before by a hash (SHA-256 of the line's own text without its hash, in
 * which the hash of the one before stands). Pure. Whoever changes or takes out a line must make all after it anew; a
 * hash that was noted elsewhere tells even that.
 */

/** Where a chain stands. */
export interface Head {
  /** Lines so far. */
  seq: number
  /** Hash of the last one; empty before the first. */
  hash: string
}

export const NOTHING: Head = { seq: 0, hash: "" }

const END = /,"hash":"([0-9a-f]{64})"\}$/

const hashOf = (body: string) => createHash("sha256").update(body).digest("hex")

/** The line that follows a head, with its end. */
export function bind(head: Head, entry: AuditEntry): { line: string; head: Head } {
  const seq = head.seq + 1
  const { at, ...rest } = entry
  const body = JSON.stringify({ seq, before: head.hash, time: new Date(at).toISOString(), ...rest })
  const hash = hashOf(body)
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, head: { seq, hash } }
}

/** A line, read. */
export interface ReadLine {
  entry: AuditEntry
  seq: number
  before: string
  hash: string
  /** Is it as it was written? */
  whole: boolean
}

/** A line out of its text; null for what is none. */
export function readLine(text: string): ReadLine | null {
  const hash = END.exec(text)?.[1]
  if (hash === undefined) return null
  try {
    const body = text.replace(END, "}")
    const { seq, before, time, ...rest } = JSON.parse(body) as Record<string, unknown>
    const entry = parseEntry({ ...rest, at: Date.parse(String(time)) })
    if (!entry || typeof seq !== "number" || typeof before !== "string") return null
    return { entry, seq, before, hash, whole: hashOf(body) === hash }
  } catch {
    return null
  }
}

/** Something that is wrong with a log. */
export interface Fault {
  file: string
  /** From 1. */
  line: number
  what: "unreadable" | "changed" | "missing-before" | "older-files-gone"
}

export interface Verdict {
  lines: number
  faults: Fault[]
  /** Lines that two processes have written at the same time, which is no fault. */
  sideBySide: number
  head: Head
}

/** Lines back among which a line may have been written beside the last one. */
const BESIDE = 64

/** Follows a chain from its first line to its last. */
export function createVerifier() {
  const verdict: Verdict = { lines: 0, faults: [], sideBySide: 0, head: NOTHING }
  let recent: Head[] = []
  const hashes = new Set<string>()
  return {
    take(file: string, line: number, text: string): void {
      const found = readLine(text)
      const fault = (what: Fault["what"]) => {
        verdict.faults.push({ file, line, what })
      }
      if (!found) {
        fault("unreadable")
        return
      }
      verdict.lines++
      if (!found.whole) fault("changed")
      else if (verdict.lines === 1) {
        if (found.before !== "") fault("older-files-gone")
      } else if (found.before !== verdict.head.hash) {
        if (recent.some(one => one.hash === found.before && one.seq === found.seq - 1)) verdict.sideBySide++
        else fault("missing-before")
      }
      verdict.head = { seq: found.seq, hash: found.hash }
      hashes.add(found.hash)
      recent = [...recent.slice(1 - BESIDE), verdict.head]
    },
    verdict,
    /** Is this hash the one of a line that was seen? */
    has: (hash: string) => hashes.has(hash),
  }
}
