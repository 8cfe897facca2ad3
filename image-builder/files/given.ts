/// <reference lib="dom" />

/** A file that somebody has dropped or chosen, with its path where it lay in a folder. */
export interface GivenFile {
  file: File
  path: string
}

export interface Given {
  files: GivenFile[]
  /** Folders with nothing in them. */
  empty: string[]
}

/** Reads what was dropped, folders too. To be called in the event itself: afterwards nothing of it can be read. */
export async function readDropped(transfer: DataTransfer): Promise<Given> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file")
  const given = items.map(item => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const found: Given = { files: [], empty: [] }
  for (const { entry, file } of given) {
    if (entry !== null) await walk(entry, found)
    // What was not dragged out of a folder, such as a picture of another page.
    else if (file !== null) found.files.push({ file, path: file.name })
  }
  return found
}

async function walk(entry: FileSystemEntry, found: Given): Promise<void> {
  const path = entry.fullPath.replace(/^\/+/, "")
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.files.push({ file, path })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  let count = 0
  for (;;) {
    // A reader gives a hundred at a time, and nothing at its end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) break
    count += some.length
    for (const one of some) await walk(one, found)
  }
  if (count === 0) found.empty.push(path)
}

/** What was chosen in a field for files or for a folder. */
export const readChosen = (files: FileList): Given => ({
  files: [...files].map(file => ({ file, path: file.webkitRelativePath || file.name })),
  empty: [],
})

/** What was pasted; a picture from the clipboard has no name of its own. @param now milliseconds since 1970 */
export function readPasted(files: Iterable<File>, now: number): Given {
  const all = [...files].map((file, number) => ({ file, path: pastedName(file, now, number) }))
  return { files: all, empty: [] }
}

export function pastedName({ name, type }: Pick<File, "name" | "type">, now: number, number: number): string {
  if (name !== "" && !/^image\.\w+$/.test(name)) return name
  const ending = /^image\/([a-z]+)/.exec(type)?.[1]?.replace("jpeg", "jpg") ?? "bin"
  const date = new Date(now - new Date(now).getTimezoneOffset() * 60_000).toISOString()
  const time = date.slice(0, 19).replace("T", "-").replaceAll(":", "")
  return `pasted-${time}${number > 0 ? `-${number + 1}` : ""}.${ending}`
}
