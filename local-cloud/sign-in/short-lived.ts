import { randomBytes } from "node:crypto"

/** Values under a key that nobody can guess, for a while. */
export interface ShortLived<T> {
  /** Keeps the value and returns its key: hexadecimal digits. */
  put(value: T): string
  /** The value, which stays. */
  look(key: string): T | null
  /** The value, which is gone then. */
  take(key: string): T | null
}

export interface ShortLivedOptions {
  /** How long a value lives, milliseconds. */
  lifetime: number
  /** Length of a key, bytes. */
  keyBytes: number
  /** Values at most; beyond it the oldest goes. */
  most: number
  /** The time, milliseconds. */
  now(): number
}

export function createShortLived<T>({ lifetime, keyBytes, most, now }: ShortLivedOptions): ShortLived<T> {
  // All live equally long, so the first of the map is always the first to go.
  const kept = new Map<string, { value: T; until: number }>()
  const sweep = () => {
    for (const [key, { until }] of kept) {
      if (until > now() && kept.size < most) return
      kept.delete(key)
    }
  }
  const look = (key: string) => {
    const found = kept.get(key)
    return found && found.until > now() ? found.value : null
  }
  return {
    put(value) {
      sweep()
      const key = randomBytes(keyBytes).toString("hex")
      kept.set(key, { value, until: now() + lifetime })
      return key
    },
    look,
    take(key) {
      const value = look(key)
      kept.delete(key)
      return value
    },
  }
}
