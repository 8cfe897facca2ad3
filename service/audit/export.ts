import { cell } from "../usage/csv.ts"
import type { AuditEntry } from "./entry.ts"

const COLUMNS = [
  ...(["who", "login", "as", "by", "from", "action", "user", "workspace", "operation"] as const),
  ...(["ok", "status", "error", "request"] as const),
] as const

/** An entry as programs read it. */
export const presentEntry = ({ at, ...rest }: AuditEntry) => ({ time: new Date(at).toISOString(), ...rest })

export type PresentedEntry = ReturnType<typeof presentEntry>

/** One line each, JSON. */
export async function* auditNdjson(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(presentEntry(entry))}\n`
}

/** The head line of the CSV (RFC 4180). */
export const CSV_HEAD = `${["time", ...COLUMNS, "input"].join(",")}\r\n`

/** A row of it. */
export function csvRow(entry: PresentedEntry): string {
  const cells = [entry.time, ...COLUMNS.map(name => String(entry[name] ?? "")), JSON.stringify(entry.input)]
  return `${cells.map(cell).join(",")}\r\n`
}

export async function* auditCsv(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  yield CSV_HEAD
  for await (const entry of entries) yield csvRow(presentEntry(entry))
}
