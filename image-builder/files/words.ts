const UNITS = ["bytes", "kB", "MB", "GB", "TB"]

/** `1.4 MB`: a size as people say it. */
export function sizeWords(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value))
  return bytes === 1 ? "1 byte" : `${digits} ${UNITS[unit]}`
}

/** `3 files`, `1 file`. */
export const countWords = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

/** `42 s`, `5 min`, `2 h`: about how long. */
export function spanWords(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

/** Short within this year, with the year before. */
export function timeWords(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString([], { timeStyle: "short" })
  const isThisYear = date.getFullYear() === today.getFullYear()
  return date.toLocaleDateString([], isThisYear ? { day: "numeric", month: "short" } : { dateStyle: "medium" })
}

export type Column = "name" | "size" | "changed"
export interface Order {
  by: Column
  down: boolean
}
interface Sortable {
  name: string
  kind: string
  size: number | null
  changed: number
}

/** Folders first, numbers in names by their value. */
export function sorted<T extends Sortable>(entries: readonly T[], { by, down }: Order): T[] {
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" })
  const compare = (one: T, other: T) => {
    const value = by === "name" ? 0 : Number(one[by] ?? -1) - Number(other[by] ?? -1)
    return value || byName.compare(one.name, other.name) * (by !== "name" && down ? -1 : 1)
  }
  return entries.toSorted((one, other) => {
    const folders = Number(other.kind === "folder") - Number(one.kind === "folder")
    return folders || (down ? -compare(one, other) : compare(one, other))
  })
}

/** The folder in the part of an address behind `#`, and back. */
export function folderOf(hash: string): string {
  try {
    const names = hash.replace(/^#/, "").split("/").filter(Boolean).map(decodeURIComponent)
    return names.join("/")
  } catch {
    return ""
  }
}
export const hashOf = (folder: string) => `#/${folder.split("/").filter(Boolean).map(encodeURIComponent).join("/")}`

export const joined = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`)
