import { mkdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Logger } from "pino"
import { inOrder, type LedgerLine, lineText, parseLine } from "./ledger-line.ts"
import { appendTo, linesOf, monthFile, monthsIn } from "./month-files.ts"
import { type Month, monthOf } from "./months.ts"

/** Bytes in one write at most: several processes append to one file, and what one writes must lie in one piece. */
const WRITE_BYTES = 4096

/** Which lines are wanted: those of one user, or all. */
type Owner = string | null

/**
 * What workspaces were, in files of one month each (`usage-2026-11.ndjson`, UTC), which are only ever appended to. The
 * ledger shares no fate with Redis.
 */
export interface Ledger {
  /** Appends lines and waits until the disk has them. */
  append(lines: LedgerLine[]): Promise<void>
  /** What it takes to know a month: its own lines, and of each workspace that was there before the last line before. */
  linesFor(month: Month, owner: Owner): Promise<LedgerLine[]>
}

/** Where workspaces stood at the end of a month; good for as long as its file has this size. */
interface Standing {
  size: number
  last: Map<string, LedgerLine>
}

export function openLedger(directory: string, log: Logger): Ledger {
  const fileOf = (month: Month) => join(directory, monthFile("usage", month))
  const standings = new Map<Month, Standing>()
  /** Lines that were said to be unreadable, so that each is said once. */
  const said = new Set<string>()

  const months = () => monthsIn(directory, "usage")

  async function* read(month: Month, owner: Owner): AsyncGenerator<LedgerLine> {
    // Looked for before a line is parsed: most lines are other people's.
    const mark = owner === null ? "" : `"owner":${JSON.stringify(owner)}`
    let number = 0
    for await (const text of linesOf(fileOf(month))) {
      number++
      if (text === "" || !text.includes(mark)) continue
      const line = parseLine(text)
      if (line && (owner === null || line.owner === owner)) yield line
      else if (!line) complain(month, number)
    }
  }

  function complain(month: Month, number: number): void {
    const place = `${fileOf(month)}:${number}`
    if (said.has(place)) return
    said.add(place)
    log.warn({ file: fileOf(month), line: number }, "a line of the usage ledger is torn or unreadable; it is left out")
  }

  /** Where all workspaces that were still there stood before a month. */
  async function standingBefore(month: Month): Promise<Map<string, LedgerLine>> {
    let last = new Map<string, LedgerLine>()
    let isKnown = true
    for (const one of (await months()).filter(other => other < month)) {
      const { size } = await stat(fileOf(one))
      const known = standings.get(one)
      // One that has grown makes those after it old as well.
      isKnown &&= known?.size === size
      if (isKnown && known) {
        last = known.last
        continue
      }
      last = new Map(last)
      for await (const line of read(one, null)) {
        const before = last.get(line.workspace)
        if (!before || inOrder(before, line) <= 0) last.set(line.workspace, line)
      }
      for (const [workspace, line] of last) if (line.to === "TERMINATED") last.delete(workspace)
      standings.set(one, { size, last })
    }
    return last
  }

  async function linesIn(month: Month, owner: Owner): Promise<LedgerLine[]> {
    const lines: LedgerLine[] = []
    if ((await months()).includes(month)) for await (const line of read(month, owner)) lines.push(line)
    return lines
  }

  return {
    async append(lines) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const byMonth = Map.groupBy(lines, line => monthOf(line.at))
      for (const [month, its] of byMonth) await appendTo(fileOf(month), piecesOf(its.map(lineText)))
    },
    async linesFor(month, owner) {
      const before = [...(await standingBefore(month)).values()].filter(line => owner === null || line.owner === owner)
      return [...before, ...(await linesIn(month, owner))]
    },
  }
}

/** Whole lines, some together in one write. */
function piecesOf(lines: string[]): string[] {
  const pieces: string[] = []
  for (const line of lines) {
    const last = pieces.at(-1)
    // A line end that was torn off before is put in front of the first.
    const room = WRITE_BYTES - (pieces.length === 1 ? 1 : 0)
    if (last === undefined || Buffer.byteLength(last) + Buffer.byteLength(line) > room) pieces.push(line)
    else pieces[pieces.length - 1] = last + line
  }
  return pieces
}
