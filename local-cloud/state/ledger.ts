import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs"

/** One machine that came or went. The ledger is apart from the records on purpose: it judges them. */
export interface LedgerEntry {
  at: string
  event: "created" | "deleted"
  id: number
  name: string
  project: string
  labels: Record<string, string>
}

export interface Ledger {
  append(entry: LedgerEntry): void
  close(): void
}

/** Opens a ledger for appending. An entry is on the disk when `append` returns. */
export function openLedger(file: string): Ledger {
  const torn = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, "utf8"))
  const handle = openSync(file, "a", 0o600)
  // The next entry must not be glued to one that a crash cut short.
  if (torn) writeSync(handle, "\n")
  return {
    append(entry) {
      writeSync(handle, `${JSON.stringify(entry)}\n`)
      fsyncSync(handle)
    },
    close: () => closeSync(handle),
  }
}

/** Every machine ever created, every one deleted, and those that should be alive. A line cut short by a crash counts for nothing. */
export function readLedger(file: string): { created: LedgerEntry[]; deleted: LedgerEntry[]; alive: LedgerEntry[] } {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : []
  const entries = lines.flatMap(line => {
    try {
      return [JSON.parse(line) as LedgerEntry]
    } catch {
      return []
    }
  })
  const alive = new Map<number, LedgerEntry>()
  for (const entry of entries) entry.event === "created" ? alive.set(entry.id, entry) : alive.delete(entry.id)
  return {
    created: entries.filter(entry => entry.event === "created"),
    deleted: entries.filter(entry => entry.event === "deleted"),
    alive: [...alive.values()],
  }
}
