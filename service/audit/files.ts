import { mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { appendTo, linesOf, monthFile, monthsIn } from "../usage/month-files.ts"
import { type Month, monthOf } from "../usage/months.ts"
import { bind, createVerifier, type Head, NOTHING, readLine, type Verdict } from "./chain.ts"
import { type AuditEntry, type AuditQuery, isWanted } from "./entry.ts"

/**
 * Two chains lie in one folder: what the service writes, one process at a time, and what is done on a command line
 * without it. Each is files of one month, only ever appended to (`audit-2026-11.ndjson`, UTC).
 */
export const SERIES = ["audit", "command-line"] as const
export type Series = (typeof SERIES)[number]

/** Bytes read at once from the end of a file. */
const CHUNK = 64 * 1024

export interface AuditFiles {
  /** Appends what is not there yet and waits until the disk has it. @returns where the chain then stands */
  append(series: Series, entries: AuditEntry[]): Promise<Head>
  /** Newest first, copies left out. */
  newestFirst(query: AuditQuery): AsyncGenerator<AuditEntry>
  /** Oldest first of each chain, the service's own first. */
  oldestFirst(query: AuditQuery): AsyncGenerator<AuditEntry>
  /** @param contains a hash that was noted once: is its line still there? */
  verify(series: Series, contains?: string): Promise<Verdict & { contains: boolean }>
}

export function openAuditFiles(directory: string): AuditFiles {
  const pathOf = (series: Series, month: Month) => join(directory, monthFile(series, month))

  const months = (series: Series) => monthsIn(directory, series)

  /** Where a chain stands, and the ids of its last entries. */
  async function standing(series: Series): Promise<{ head: Head; ids: Set<string>; month: Month | null }> {
    const ids = new Set<string>()
    const all = await months(series)
    let head: Head | null = null
    for (const month of all.toReversed()) {
      for await (const text of linesBackwards(pathOf(series, month))) {
        const line = readLine(text)
        if (!line) continue
        head ??= { seq: line.seq, hash: line.hash }
        ids.add(line.entry.id)
        // More than are written at once, so that a step that is repeated finds what it has written.
        if (ids.size >= 2_000) break
      }
      if (head) break
    }
    return { head: head ?? NOTHING, ids, month: all.at(-1) ?? null }
  }

  async function* backwards(series: Series, query: AuditQuery): AsyncGenerator<AuditEntry> {
    const since = query.since === undefined ? "" : monthOf(query.since)
    for (const month of (await months(series)).toReversed()) {
      if (month < since) return
      for await (const text of linesBackwards(pathOf(series, month))) {
        const entry = readLine(text)?.entry
        if (entry && isWanted(entry, query)) yield entry
      }
    }
  }

  return {
    async append(series, entries) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const { head: before, ids, month: last } = await standing(series)
      let head = before
      const byFile = new Map<string, string>()
      for (const entry of entries) {
        if (ids.has(entry.id)) continue
        ids.add(entry.id)
        const bound = bind(head, entry)
        head = bound.head
        // Clocks differ: a chain never goes back to an older file.
        const month = [monthOf(entry.at), last ?? ""].sort().at(-1) ?? ""
        const path = pathOf(series, month)
        byFile.set(path, (byFile.get(path) ?? "") + bound.line)
      }
      for (const [path, text] of byFile) await appendTo(path, [text])
      return head
    },
    async *newestFirst(query) {
      const [ours, theirs] = SERIES.map(series => backwards(series, query)) as [
        AsyncGenerator<AuditEntry>,
        AsyncGenerator<AuditEntry>,
      ]
      const seen = new Set<string>()
      try {
        let [one, other] = [await ours.next(), await theirs.next()]
        while (!one.done || !other.done) {
          const takesOne = other.done || (!one.done && one.value.at >= other.value.at)
          const entry = (takesOne ? one.value : other.value) as AuditEntry
          if (takesOne) one = await ours.next()
          else other = await theirs.next()
          if (seen.has(entry.id)) continue
          seen.add(entry.id)
          yield entry
        }
      } finally {
        // Whoever has seen enough leaves files open otherwise.
        for (const one of [ours, theirs]) await one.return(undefined)
      }
    },
    async *oldestFirst(query) {
      const seen = new Set<string>()
      for (const series of SERIES) {
        for (const month of await months(series)) {
          for await (const text of linesOf(pathOf(series, month))) {
            const entry = readLine(text)?.entry
            if (!entry || seen.has(entry.id) || !isWanted(entry, query)) continue
            seen.add(entry.id)
            yield entry
          }
        }
      }
    },
    async verify(series, contains) {
      const verifier = createVerifier()
      for (const month of await months(series)) {
        let line = 0
        for await (const text of linesOf(pathOf(series, month))) {
          line++
          if (text !== "") verifier.take(monthFile(series, month), line, text)
        }
      }
      return { ...verifier.verdict, contains: contains === undefined || verifier.has(contains) }
    },
  }
}

/** A file's lines from its end, without what is empty. */
async function* linesBackwards(path: string): AsyncGenerator<string> {
  const file = await open(path, "r")
  try {
    let { size: end } = await file.stat()
    let rest = Buffer.alloc(0)
    while (end > 0) {
      const start = Math.max(0, end - CHUNK)
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
      end = start
      rest = Buffer.concat([buffer, rest])
      // Cut at line ends, so that no character is.
      for (let at = rest.lastIndexOf(0x0a); at !== -1; at = rest.lastIndexOf(0x0a)) {
        const text = rest.subarray(at + 1).toString("utf8")
        rest = rest.subarray(0, at)
        if (text !== "") yield text
      }
    }
    if (rest.length > 0) yield rest.toString("utf8")
  } finally {
    await file.close()
  }
}
