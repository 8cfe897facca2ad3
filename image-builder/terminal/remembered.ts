/** What a browser keeps of the page: names of what was shown, and the size of letters. */
export interface Remembered {
  shown: string[]
  letters: number
}

const KEY = "foozol.terminal"
export const LETTERS = { least: 9, most: 28 }

/** Storage may be full, blocked or hold what another version wrote. */
export function readRemembered(storage: Pick<Storage, "getItem">, usual: number): Remembered {
  try {
    const stored = JSON.parse(storage.getItem(KEY) ?? "{}")
    const letters = Number.isInteger(stored.letters) ? stored.letters : usual
    const shown = Array.isArray(stored.shown) ? stored.shown.filter((one: unknown) => typeof one === "string") : []
    return { shown, letters: Math.min(LETTERS.most, Math.max(LETTERS.least, letters)) }
  } catch {
    return { shown: [], letters: usual }
  }
}

export function writeRemembered(storage: Pick<Storage, "setItem">, value: Remembered): void {
  try {
    storage.setItem(KEY, JSON.stringify(value))
  } catch {
    // It then lasts as long as the page.
  }
}
