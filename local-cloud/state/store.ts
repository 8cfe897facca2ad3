import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { StartError } from "../errors.ts"
import type { Kind, Records } from "./records.ts"
import { createTable, type Table } from "./table.ts"

/** Version of the stored format; a newer one is refused instead of misread. */
const FORMAT = 1

/** All records, in memory and written through to SQLite. Ids are unique over all kinds and never used twice. */
export interface Store {
  get<K extends Kind>(kind: K, id: number): Records[K] | undefined
  all<K extends Kind>(kind: K): Records[K][]
  /** The records with a key of `keys.ts`, without looking at the others. */
  find<K extends Kind>(kind: K, key: string): Records[K][]
  count(kind: Kind): number
  put<K extends Kind>(kind: K, record: Records[K]): void
  remove(kind: Kind, id: number): void
  nextId(): number
  /** A short text kept under a name; null when there is none. */
  note(name: string): string | null
  setNote(name: string, text: string): void
  /** Gives no id up to this one from now on. */
  skipIds(upTo: number): void
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
  const tables = new Map<Kind, Table<Kind>>()
  const table = <K extends Kind>(kind: K): Table<K> => {
    const known = tables.get(kind) ?? (createTable(kind) as unknown as Table<Kind>)
    tables.set(kind, known)
    return known as unknown as Table<K>
  }
  for (const row of db.prepare("SELECT kind, id, json FROM records").all()) {
    table(row.kind as Kind).set(row.id as number, JSON.parse(row.json as string))
  }
  let lastId = Number(db.prepare("SELECT value FROM meta WHERE key = 'last_id'").get()?.value ?? 0)

  const write = db.prepare(
    "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
  )
  const erase = db.prepare("DELETE FROM records WHERE kind = ? AND id = ?")
  const saveLastId = db.prepare(
    "INSERT INTO meta VALUES ('last_id', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  )
  const readNote = db.prepare("SELECT value FROM meta WHERE key = 'note:' || ?")
  const saveNote = db.prepare(
    "INSERT INTO meta VALUES ('note:' || ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  )
  /** Takes back in memory what the transaction going on has changed; null outside of one. */
  let undo: (() => void)[] | null = null

  function change<K extends Kind>(kind: K, id: number, record: Records[K] | undefined): void {
    const before = table(kind).get(id)
    undo?.push(() => table(kind).set(id, before))
    table(kind).set(id, record)
  }

  return {
    get: (kind, id) => table(kind).get(id),
    all: kind => table(kind).all(),
    find: (kind, key) => table(kind).find(key),
    count: kind => table(kind).size(),
    put(kind, record) {
      write.run(kind, record.id, JSON.stringify(record))
      change(kind, record.id, record)
    },
    remove(kind, id) {
      erase.run(kind, id)
      change(kind, id, undefined)
    },
    nextId() {
      saveLastId.run(String(++lastId))
      return lastId
    },
    note: name => (readNote.get(name)?.value as string | undefined) ?? null,
    setNote: (name, text) => void saveNote.run(name, text),
    skipIds(upTo) {
      if (upTo <= lastId) return
      lastId = upTo
      saveLastId.run(String(lastId))
    },
    transaction(work) {
      if (undo) return work()
      const changes: (() => void)[] = []
      db.exec("BEGIN")
      undo = changes
      try {
        const result = work()
        db.exec("COMMIT")
        return result
      } catch (error) {
        db.exec("ROLLBACK")
        for (const takeBack of changes.reverse()) takeBack()
        throw error
      } finally {
        undo = null
      }
    },
    close: () => db.close(),
  }
}

function openDatabase(directory: string): DatabaseSync {
  const file = join(directory, "records.sqlite")
  let db: DatabaseSync | null = null
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    db = new DatabaseSync(file)
    // EXCLUSIVE keeps a second process out. NORMAL in WAL mode loses nothing when the process dies, and a transaction
    // costs no disk flush.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
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
    db?.close()
    if (error instanceof StartError) throw error
    const { message } = error as Error
    if (/locked|busy/.test(message)) {
      throw new StartError(`Another local cloud runs from ${directory}: end it, or choose another folder.`)
    }
    throw new StartError(
      `The local cloud cannot keep its records in ${file} (${message}): make the folder writable or choose another one.`,
    )
  }
}
