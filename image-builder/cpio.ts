/** What goes into an initial RAM disk; a directory has no content. */
export interface RamDiskEntry {
  path: string
  content?: Buffer
  isExecutable?: boolean
}

/** An archive in the kernel's `newc` format, without times and owners: equal entries, equal bytes. Pure. */
export function ramDisk(entries: RamDiskEntry[]): Buffer {
  const parts = entries.flatMap(({ path, content, isExecutable = false }, index) => {
    const type = content === undefined ? 0o040755 : isExecutable ? 0o100755 : 0o100644
    return record(path, { inode: index + 1, mode: type, content: content ?? Buffer.alloc(0) })
  })
  return Buffer.concat([...parts, ...record("TRAILER!!!", { inode: 0, mode: 0, content: Buffer.alloc(0) })])
}

function record(path: string, { inode, mode, content }: { inode: number; mode: number; content: Buffer }): Buffer[] {
  const name = Buffer.from(`${path}\0`)
  // inode, mode, uid, gid, links, time, size, four device numbers, length of the name, checksum
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const head = Buffer.from(`070701${numbers.map(number => number.toString(16).padStart(8, "0")).join("")}`)
  return [head, name, toFour(head.length + name.length), content, toFour(content.length)]
}

function toFour(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4)
}
