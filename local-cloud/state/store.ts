import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { StartError } from "../errors.ts"
import type { Kind, Records } from "./records.ts"

/** Version of the stored format; a newer one is refused instead of misread. */
const FORMAT = 1

/** All records, in memory and written through to SQLite. Ids are unique over all kinds and never used twice. */
export interface Store {
  get<K extends Kind>(kind: K, id: number): Records[K] | undefined
  all<K extends Kind>(kind: K): Records[K][]
  put<K extends Kind>(kind: K, record: Records[K]): void
  remove(kind: Kind, id: number): void
  nextId(): number
  /** Everything written in `work` is on disk together or not at all. No transaction may wait for anything. */
  transaction<T>(work: () => T): T
  close(): void
}

/**
 * Opens or makes the store of a folder.
 * @throws StartError when the folder cannot be written or its format is newer than this program
 */
export function openStore(directory: string): Store {
  const db = openDatabase(directory)
  const kinds = new Map<string, Map<number, unknown>>()
  let lastId = 0
  for (const row of db.prepare("SELECT kind, id, json FROM records").all()) {
    table(row.kind as Kind).set(row.id as number, JSON.parse(row.json as string))
  }
  const counter = db.prepare("SELECT value FROM meta WHERE key = 'last_id'").get()
  lastId = Number(counter?.value ?? 0)

  const write = db.prepare(
    "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
  )
  const erase = db.prepare("DELETE FROM records WHERE kind = ? AND id = ?")
  const count = db.prepare(
    "INSERT INTO meta VALUES ('last_id', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  )
  let depth = 0

  function table<K extends Kind>(kind: K): Map<number, Records[K]> {
    const known = kinds.get(kind) ?? new Map<number, unknown>()
    kinds.set(kind, known)
    return known as Map<number, Records[K]>
  }

  return {
    get: (kind, id) => table(kind).get(id),
    all: kind => [...table(kind).values()],
    put(kind, record) {
      table(kind).set(record.id, record)
      write.run(kind, record.id, JSON.stringify(record))
    },
    remove(kind, id) {
      table(kind).delete(id)
      erase.run(kind, id)
    },
    nextId() {
      count.run(String(++lastId))
      return lastId
    },
    transaction(work) {
      if (depth > 0) return work()
      db.exec("BEGIN")
      depth++
      try {
        const result = work()
        db.exec("COMMIT")
        return result
      } catch (error) {
        db.exec("ROLLBACK")
        // Memory follows what is on disk.
        for (const known of kinds.values()) known.clear()
        for (const row of db.prepare("SELECT kind, id, json FROM records").all()) {
          table(row.kind as Kind).set(row.id as number, JSON.parse(row.json as string))
        }
        throw error
      } finally {
        depth--
      }
    },
    close: () => db.close(),
  }
}

function openDatabase(directory: string): DatabaseSync {
  const file = join(directory, "records.sqlite")
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const db = new DatabaseSync(file)
    // NORMAL in WAL mode loses nothing when the process dies, and a transaction costs no disk flush.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    db.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) STRICT")
    db.exec("CREATE TABLE IF NOT EXISTS records (kind TEXT, id INTEGER, json TEXT, PRIMARY KEY (kind, id)) STRICT")
    db.prepare("INSERT INTO meta VALUES ('format', ?) ON CONFLICT DO NOTHING").run(String(FORMAT))
    const format = Number(db.prepare("SELECT value FROM meta WHERE key = 'format'").get()?.value)
    if (format > FORMAT) {
      throw new StartError(
        `${file} was written by a newer version (format ${format}); run that version, or choose another folder.`,
      )
    }
    return db
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(
      `The local cloud cannot keep its records in ${file} (${(error as Error).message}): make the folder writable or choose another one.`,
    )
  }
}
