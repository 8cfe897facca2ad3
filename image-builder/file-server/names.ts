/** Bytes that a name may have on Linux. */
const MOST_BYTES = 255
/** Folders within one another. */
const MOST_DEPTH = 64

// Controls (C0, DEL, C1), what turns the direction of text around, and line separators: a name must read as what it is.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff/\\]/g

/**
 * A name for a file that comes from elsewhere: what it cannot or must not have is replaced by `_`, and what is too long
 * is cut before its ending. Null where nothing is left that could be a name.
 */
export function cleanName(given: string): string | null {
  const name = given.toWellFormed().normalize("NFC").replace(UNSAFE, "_").trim()
  if (/^\.{0,2}$/.test(name)) return null
  return shortened(name, MOST_BYTES)
}

/** The names of a path such as `photos/2026/a.jpg`, each made safe; null where one is none. */
export function cleanPath(given: string): string[] | null {
  const names = given.split("/").map(cleanName)
  if (names.length > MOST_DEPTH || names.includes(null)) return null
  return names as string[]
}

/** Is this the name of something that may be there already? Those are taken as they are. */
export const isName = (name: string) => !/^\.{0,2}$/.test(name) && !/[/\0]/.test(name)

/** `photo.jpg` → `photo (2).jpg`, for the case that a name is taken. */
export function numbered(name: string, number: number): string {
  const { stem, ending } = parts(name)
  const mark = ` (${number})`
  return `${shortened(stem, MOST_BYTES - Buffer.byteLength(mark + ending))}${mark}${ending}`
}

/** `archive.tar.gz` → `archive` and `.tar.gz`; a hidden file's first dot ends no stem. */
function parts(name: string): { stem: string; ending: string } {
  const ending = /(?<=[^.])(\.tar)?\.[^. ]{1,12}$/i.exec(name)?.[0] ?? ""
  return { stem: name.slice(0, name.length - ending.length), ending }
}

function shortened(name: string, most: number): string {
  if (Buffer.byteLength(name) <= most) return name
  const { stem, ending } = parts(name)
  let cut = [...stem]
  while (cut.length > 1 && Buffer.byteLength(cut.join("") + ending) > most) cut = cut.slice(0, -1)
  return cut.join("") + ending
}
