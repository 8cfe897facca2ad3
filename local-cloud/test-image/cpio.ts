/** A file or directory of an archive; `mode` holds the type bits too (0o100644, 0o040755). */
export interface ArchiveEntry {
  path: string
  mode: number
  content?: Buffer
}

/** Packs entries into a `newc` cpio archive, the format the Linux kernel unpacks as its initial RAM disk. */
export function cpioArchive(entries: ArchiveEntry[]): Buffer {
  const members = entries.map((entry, index) => member(entry.path, entry.mode, index + 1, entry.content))
  return Buffer.concat([...members, member("TRAILER!!!", 0, 0)])
}

function member(path: string, mode: number, inode: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const name = Buffer.from(`${path}\0`)
  const links = 1
  // Times, owners and device numbers are 0, so that equal inputs give equal archives.
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(`070701${fields.map(field => field.toString(16).padStart(8, "0")).join("")}`)
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
