import { keysOf } from "./keys.ts"
import type { Kind, Records } from "./records.ts"

/** The records of one kind in memory, found by id and by key. */
export interface Table<K extends Kind> {
  get(id: number): Records[K] | undefined
  all(): Records[K][]
  find(key: string): Records[K][]
  size(): number
  /** Puts a record in place of the one with its id; `undefined` takes that one away. */
  set(id: number, record: Records[K] | undefined): void
}

export function createTable<K extends Kind>(kind: K): Table<K> {
  const records = new Map<number, Records[K]>()
  const index = new Map<string, Set<number>>()
  const known = (id: number) => records.get(id) as Records[K]
  return {
    get: id => records.get(id),
    all: () => [...records.values()],
    find: key => [...(index.get(key) ?? [])].map(known),
    size: () => records.size,
    set(id, record) {
      const before = records.get(id)
      for (const key of before ? keysOf(kind, before) : []) {
        const ids = index.get(key)
        ids?.delete(id)
        if (ids?.size === 0) index.delete(key)
      }
      if (record === undefined) {
        records.delete(id)
        return
      }
      records.set(id, record)
      for (const key of keysOf(kind, record)) {
        const ids = index.get(key)
        ids ? ids.add(id) : index.set(key, new Set([id]))
      }
    },
  }
}
