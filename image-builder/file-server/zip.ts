import { constants } from "node:fs"
import { open } from "node:fs/promises"
import { crc32 } from "node:zlib"
import type { Item } from "./zip-plan.ts"

/**
 * An archive that is written while it is sent: nothing of it is held, its size is known before, and it can begin in
 * the middle. Files are stored as they are, in the blocks that deflate has for that: unlike those of the method "store"
 * readers that never see the end of the archive find their ends. PKWARE's APPNOTE is the description, 4.3 and 4.5.
 */

/** Bytes of one block of deflate, and what stands before each. */
const [BLOCK, BLOCK_HEAD] = [65_535, 5]
const MOST_32 = 0xffff_ffff
const MOST_16 = 0xffff
/** Sizes and checksum follow the content; names are UTF-8. */
const FLAGS = 0x0808
const DEFLATE = 8

/** Checksums of what was sent, for an archive that goes on later: by path, size and time. */
const checksums = new Map<string, number>()
const MOST_CHECKSUMS = 20_000

const blocksOf = (size: number) => Math.max(1, Math.ceil(size / BLOCK))
const storedSize = (size: number) => size + blocksOf(size) * BLOCK_HEAD
const isLarge = (size: number) => storedSize(size) >= MOST_32

/** Where each item begins, and how large the archive is. */
export function layOut(items: readonly Item[]): { starts: Float64Array; directory: number; size: number } {
  const starts = new Float64Array(items.length)
  let at = 0
  items.forEach((item, number) => {
    starts[number] = at
    at += localHeader(item).length + contentSize(item) + descriptorSize(item)
  })
  const directory = at
  items.forEach((item, number) => {
    at += directoryEntry(item, starts[number] ?? 0, 0).length
  })
  return { starts, directory, size: at + ending(items.length, directory, at - directory).length }
}

const contentSize = (item: Item) => (item.kind === "folder" ? 0 : storedSize(item.size))
const descriptorSize = (item: Item) => (item.kind === "folder" ? 0 : isLarge(item.size) ? 24 : 16)

/** The bytes of an archive from an offset on. @throws when a file is another one than when it was planned */
export async function* zipBytes(items: readonly Item[], from = 0): AsyncGenerator<Buffer> {
  const { starts, directory, size } = layOut(items)
  const sums = new Uint32Array(items.length)
  let at = 0
  /** What of some bytes is still to be sent. */
  const due = (bytes: Buffer) => {
    const skipped = Math.max(0, Math.min(bytes.length, from - at))
    at += bytes.length
    return bytes.subarray(skipped)
  }
  for (const [number, item] of items.entries()) {
    at = starts[number] ?? 0
    const end = number + 1 < items.length ? (starts[number + 1] ?? 0) : directory
    const known = checksums.get(keyOf(item))
    if (end <= from && (item.kind === "folder" || known !== undefined)) {
      sums[number] = known ?? 0
      continue
    }
    const header = due(localHeader(item))
    if (header.length > 0) yield header
    if (item.kind === "folder") continue
    let sum = 0
    for await (const bytes of blocks(item)) {
      if (bytes.content) sum = crc32(bytes.bytes, sum)
      const rest = due(bytes.bytes)
      if (rest.length > 0) yield rest
    }
    sums[number] = sum
    remember(item, sum)
    const rest = due(descriptor(item, sum))
    if (rest.length > 0) yield rest
  }
  at = directory
  for (const bytes of directoryBytes(items, sums)) {
    const rest = due(bytes)
    if (rest.length > 0) yield rest
  }
  if (at !== size) throw new Error("the archive is not as it was planned")
}

/** What stands at an archive's end: its directory, with the checksums. */
export function* directoryBytes(items: readonly Item[], sums: Uint32Array): Generator<Buffer> {
  const { starts, directory, size } = layOut(items)
  let at = directory
  for (const [number, item] of items.entries()) {
    const entry = directoryEntry(item, starts[number] ?? 0, sums[number] ?? 0)
    at += entry.length
    yield entry
  }
  const last = ending(items.length, directory, at - directory)
  if (at + last.length !== size) throw new Error("the archive is not as it was planned")
  yield last
}

const keyOf = ({ from, size, changed }: Item) => `${size}:${changed}:${from}`

function remember(item: Item, sum: number): void {
  checksums.set(keyOf(item), sum)
  for (const old of checksums.keys()) {
    if (checksums.size <= MOST_CHECKSUMS) return
    checksums.delete(old)
  }
}

/** An item's content in blocks of deflate: heads, and between them content. */
async function* blocks(item: Item): AsyncGenerator<{ bytes: Buffer; content: boolean }> {
  let left = item.size
  const head = (size: number) => {
    const bytes = Buffer.alloc(BLOCK_HEAD)
    bytes[0] = left - size === 0 ? 1 : 0
    bytes.writeUInt16LE(size, 1)
    bytes.writeUInt16LE(size ^ MOST_16, 3)
    return { bytes, content: false }
  }
  if (item.kind === "link") {
    const bytes = Buffer.from(item.from)
    if (bytes.length > BLOCK) throw new Error("a link leads too far")
    yield head(bytes.length)
    yield { bytes, content: true }
    return
  }
  // Not waiting for whoever writes, should it have become a pipe; and not through a link.
  const handle = await open(item.from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const found = await handle.stat()
    if (!found.isFile() || found.size !== item.size) throw new Error("a file has changed meanwhile")
    for (let number = blocksOf(left); number > 0; number--) {
      const size = Math.min(BLOCK, left)
      yield head(size)
      left -= size
      for (let missing = size; missing > 0; ) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(missing), 0, missing)
        if (bytesRead === 0) throw new Error("a file has become shorter meanwhile")
        missing -= bytesRead
        yield { bytes: buffer.subarray(0, bytesRead), content: true }
      }
    }
  } finally {
    await handle.close()
  }
}

/** Version that a reader must know: 4.5 for large ones. */
const versionOf = (large: boolean) => (large ? 45 : 20)

function localHeader(item: Item): Buffer {
  const large = item.kind !== "folder" && isLarge(item.size)
  const name = Buffer.from(item.path)
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(versionOf(large), 4)
  about(head, 6, item)
  head.writeUInt16LE(name.length, 26)
  // Sizes come after the content; this says that they will have 8 bytes.
  const extra = Buffer.concat([large ? zip64([0, 0]) : Buffer.alloc(0), timeField(item)])
  head.writeUInt16LE(extra.length, 28)
  return Buffer.concat([head, name, extra])
}

/** Flags, method and time, which stand alike in both kinds of header. */
function about(head: Buffer, at: number, { kind, changed }: Item): void {
  head.writeUInt16LE(kind === "folder" ? 0x0800 : FLAGS, at)
  head.writeUInt16LE(kind === "folder" ? 0 : DEFLATE, at + 2)
  const date = new Date(Math.min(Math.max(changed, Date.UTC(1980, 0)), Date.UTC(2107, 11, 31)))
  head.writeUInt16LE((date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1), at + 4)
  head.writeUInt16LE(
    ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
    at + 6,
  )
}

function descriptor(item: Item, sum: number): Buffer {
  const large = isLarge(item.size)
  const bytes = Buffer.alloc(descriptorSize(item))
  bytes.writeUInt32LE(0x08074b50, 0)
  bytes.writeUInt32LE(sum, 4)
  if (large) {
    bytes.writeBigUInt64LE(BigInt(storedSize(item.size)), 8)
    bytes.writeBigUInt64LE(BigInt(item.size), 16)
  } else {
    bytes.writeUInt32LE(storedSize(item.size), 8)
    bytes.writeUInt32LE(item.size, 12)
  }
  return bytes
}

function directoryEntry(item: Item, start: number, sum: number): Buffer {
  const [size, stored] = [item.size, contentSize(item)]
  const large = stored >= MOST_32
  const far = start >= MOST_32
  const name = Buffer.from(item.path)
  const fields = [...(large ? [size, stored] : []), ...(far ? [start] : [])]
  const extra = Buffer.concat([fields.length > 0 ? zip64(fields) : Buffer.alloc(0), timeField(item)])
  const head = Buffer.alloc(46)
  head.writeUInt32LE(0x02014b50, 0)
  // Made on Unix, hence the rights below.
  head.writeUInt16LE((3 << 8) | 45, 4)
  head.writeUInt16LE(versionOf(large || far), 6)
  about(head, 8, item)
  head.writeUInt32LE(sum, 16)
  head.writeUInt32LE(large ? MOST_32 : stored, 20)
  head.writeUInt32LE(large ? MOST_32 : size, 24)
  head.writeUInt16LE(name.length, 28)
  head.writeUInt16LE(extra.length, 30)
  head.writeUInt32LE(((item.mode << 16) | (item.kind === "folder" ? 0x10 : 0)) >>> 0, 38)
  head.writeUInt32LE(far ? MOST_32 : start, 42)
  return Buffer.concat([head, name, extra])
}

/** Sizes and offsets that do not fit into 32 bits. */
function zip64(values: number[]): Buffer {
  const bytes = Buffer.alloc(4 + values.length * 8)
  bytes.writeUInt16LE(1, 0)
  bytes.writeUInt16LE(values.length * 8, 2)
  values.forEach((value, number) => {
    bytes.writeBigUInt64LE(BigInt(value), 4 + number * 8)
  })
  return bytes
}

/** The time of change in seconds of UTC; the header's own has no zone. */
function timeField({ changed }: Item): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt16LE(0x5455, 0)
  bytes.writeUInt16LE(5, 2)
  bytes[4] = 1
  bytes.writeInt32LE(Math.min(2 ** 31 - 1, Math.max(0, Math.floor(changed / 1000))), 5)
  return bytes
}

function ending(count: number, directory: number, size: number): Buffer {
  const large = count >= MOST_16 || directory >= MOST_32 || size >= MOST_32
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, MOST_16), 8)
  end.writeUInt16LE(Math.min(count, MOST_16), 10)
  end.writeUInt32LE(Math.min(size, MOST_32), 12)
  end.writeUInt32LE(Math.min(directory, MOST_32), 16)
  if (!large) return end
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE((3 << 8) | 45, 12)
  record.writeUInt16LE(45, 14)
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, size],
    [48, directory],
  ] as const) {
    record.writeBigUInt64LE(BigInt(value), at)
  }
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(directory + size), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator, end])
}
