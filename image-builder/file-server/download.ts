import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { open } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { basename } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { Places } from "./places.ts"
import { Problem } from "./problem.ts"
import { layOut, zipBytes } from "./zip.ts"
import { planZip } from "./zip-plan.ts"

/** Something to be downloaded: its size is known, and any part of it can be had. */
interface Content {
  name: string
  size: number
  tag: string
  leftOut?: number
  /** @param from and `to`: first and last byte */
  bytes(from: number, to: number): Readable
  close(): Promise<void>
}

/** A file of the home. */
export async function fileContent(places: Places, path: string): Promise<Content> {
  const full = await places.existing(path)
  // Should it be a pipe, nobody waits for whoever writes into it.
  const handle = await open(full, constants.O_RDONLY | constants.O_NONBLOCK)
  const found = await handle.stat()
  if (!found.isFile()) {
    await handle.close()
    throw new Problem("no-file", 400, "That is no file; a folder can be had as an archive.")
  }
  const tag = createHash("sha256").update(`${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`)
  return {
    name: basename(path),
    size: found.size,
    tag: tag.digest("base64url").slice(0, 27),
    bytes: (start, end) =>
      end < start
        ? Readable.from([])
        : handle.createReadStream({ start, end, autoClose: false, highWaterMark: 256 * 1024 }),
    close: () => handle.close(),
  }
}

/** A folder, or some of what is in it, as an archive. */
export async function zipContent(places: Places, path: string, names: string[]): Promise<Content> {
  const plan = await planZip(places, path, names)
  const [only] = names
  const own = names.length === 1 && only !== undefined ? only : basename(path) || "home"
  return {
    name: `${own}.zip`,
    size: layOut(plan.items).size,
    tag: plan.tag,
    leftOut: plan.leftOut,
    bytes: (from, to) => Readable.from(limited(zipBytes(plan.items, from), to - from + 1), { objectMode: false }),
    close: async () => {},
  }
}

async function* limited(bytes: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  let left = most
  for await (const chunk of bytes) {
    if (left <= 0) return
    yield chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= chunk.length
  }
}

/** Answers with it, or the part that was asked for; never to be shown in a page of this host. */
export async function send(content: Content, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { size, tag, name, leftOut } = content
    const condition = request.headers["if-range"]
    const asked = condition === undefined || condition === `"${tag}"` ? request.headers.range : undefined
    const range = asked === undefined ? null : readRange(asked, size)
    const headers = {
      "content-type": "application/octet-stream",
      "content-disposition": disposition(name),
      "content-security-policy": "default-src 'none'; sandbox",
      "x-content-type-options": "nosniff",
      "cache-control": "private, no-cache",
      "accept-ranges": "bytes",
      etag: `"${tag}"`,
      ...(leftOut === undefined ? {} : { "x-foozol-left-out": String(leftOut) }),
    }
    if (range === "none") {
      response.writeHead(416, { ...headers, "content-range": `bytes */${size}`, "content-length": 0 }).end()
      return
    }
    const [from, to] = range ?? [0, size - 1]
    // A file that has become shorter is an answer that breaks off, not one that is waited for.
    response.strictContentLength = true
    response.writeHead(range === null ? 200 : 206, {
      ...headers,
      "content-length": to - from + 1,
      ...(range === null ? {} : { "content-range": `bytes ${from}-${to}/${size}` }),
    })
    if (request.method === "HEAD") response.end()
    else await pipeline(content.bytes(from, to), response)
  } finally {
    await content.close()
  }
}

/** The bytes that are asked for; null where all are, `none` where there are none such. One range only. */
export function readRange(header: string, size: number): [from: number, to: number] | "none" | null {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (!found || (found[1] === "" && found[2] === "")) return null
  const [first, last] = [found[1] ?? "", found[2] ?? ""]
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1)
  return from > to ? "none" : [from, to]
}

/** RFC 6266: a name that old programs understand, and the real one. */
export function disposition(name: string): string {
  const plain = name.toWellFormed().replace(/[^\x20-\x7e]|["\\%]/g, "_")
  const real = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${real}`
}
