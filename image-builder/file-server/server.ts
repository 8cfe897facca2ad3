import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { makeFolder, renameEntry } from "./changes.ts"
import { fileContent, send, zipContent } from "./download.ts"
import { list } from "./listing.ts"
import { createPlaces } from "./places.ts"
import { Problem, problemOf } from "./problem.ts"
import { createTrash } from "./trash.ts"
import { createUploads, type OnTaken, type UploadLimits, type Wish } from "./uploads.ts"

/** Longest line and headers of a request: a selection's names stand in it. */
export const MAX_HEADER = 48 * 1024
/** Longest JSON of a request. */
const MAX_BODY = 64 * 1024
/** Bytes of a file that one request brings: so much is sent again at most, and a sign-out is noticed as often. */
const MAX_PIECE = 16 * 1024 * 1024

export interface FileServerOptions {
  /** The folder that is all there is to it. */
  home: string
  limits: UploadLimits
  now?: () => number
  warn?: (text: string) => void
}

export interface FileServer {
  server: Server
  /** Removes uploads that nobody has gone on with. */
  tidy(): Promise<void>
}

/** The home's files over HTTP, for whoever may connect: the agent, which has looked at who asks. */
export function createFileServer({ home, limits, now = Date.now, warn = () => {} }: FileServerOptions): FileServer {
  const places = createPlaces(home)
  const trash = createTrash(places, now)
  const uploads = createUploads(places, limits, now)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://files")
    const path = () => searchParams.get("path") ?? ""
    const key = () => (searchParams.get("key") ?? "").slice(0, 64)
    const method = request.method === "HEAD" ? "GET" : request.method
    switch (`${method} ${pathname}`) {
      case "GET /files/list":
        return json(response, 200, await list(places, path()))
      case "GET /files/download":
        return send(await fileContent(places, path()), request, response)
      case "GET /files/zip":
        return send(await zipContent(places, path(), searchParams.getAll("name")), request, response)
      case "GET /files/unfinished":
        return json(response, 200, { uploads: await uploads.unfinished() })
      case "GET /files/upload":
        return json(response, 200, { ...(await uploads.look(wishOf(searchParams), key())), most: limits.most })
      case "PUT /files/upload": {
        const onTaken = searchParams.get("taken") ?? "ask"
        if (!isOnTaken(onTaken)) throw new Problem("bad-request", 400, "That cannot be asked.")
        if (!(Number(request.headers["content-length"]) <= MAX_PIECE))
          throw new Problem("too-large", 413, "That is too much at once.")
        const offset = whole(searchParams, "offset")
        return json(response, 200, await uploads.write(wishOf(searchParams), key(), offset, onTaken, request))
      }
      case "DELETE /files/upload":
        await uploads.discard(wishOf(searchParams))
        return json(response, 200, {})
      case "POST /files/folder": {
        const { path, name } = await body(request)
        return json(response, 200, { name: await makeFolder(places, text(path), text(name)) })
      }
      case "POST /files/rename": {
        const { path, name } = await body(request)
        return json(response, 200, { name: await renameEntry(places, text(path), text(name)) })
      }
      case "POST /files/delete":
        return json(response, 200, { id: await trash.put(text((await body(request)).path)) })
      case "GET /files/trash":
        return json(response, 200, { trash: await trash.list() })
      case "POST /files/restore":
        return json(response, 200, { path: await trash.restore(text((await body(request)).id)) })
      case "POST /files/empty":
        await trash.empty()
        return json(response, 200, {})
      case "POST /files/tidy":
        await uploads.tidy()
        return json(response, 200, {})
      default:
        throw new Problem("not-found", 404, "There is no such thing here.")
    }
  }

  const server = createServer({ maxHeaderSize: MAX_HEADER }, (request, response) => {
    answer(request, response).catch(error => {
      const problem = problemOf(error)
      // Half of an answer: an end without its end tells whoever reads that it is not whole.
      if (response.headersSent) return void response.destroy()
      if (problem === null) warn(error instanceof Error ? error.message : String(error))
      const { status, id, message, more } = problem ?? new Problem("failed", 500, "That went wrong on the workspace.")
      // What still comes is read and forgotten: an answer before its end would get lost. NGINX lets no more than a piece in.
      const tell = () => json(response, status, { id, message, ...more })
      if (request.readableEnded || request.destroyed) tell()
      else request.once("end", tell).resume()
    })
  })
  // A download may wait for as long as its reader does; what asks for nothing is ended by whoever passes it on.
  server.requestTimeout = 0
  server.timeout = 0
  return { server, tidy: uploads.tidy }
}

const isOnTaken = (given: string): given is OnTaken => ["ask", "number", "replace"].includes(given)

function whole(query: URLSearchParams, name: string): number {
  const value = Number(query.get(name) || Number.NaN)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Problem("bad-request", 400, `${name} must be a whole number.`)
}

const wishOf = (query: URLSearchParams): Wish => ({
  folder: query.get("folder") ?? "",
  name: query.get("name") ?? "",
  size: whole(query, "size"),
  modified: whole(query, "modified"),
})

function text(value: unknown): string {
  if (typeof value === "string") return value
  throw new Problem("bad-request", 400, "That cannot be asked.")
}

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  let given = ""
  for await (const part of request.setEncoding("utf8")) {
    given += part
    if (given.length > MAX_BODY) throw new Problem("bad-request", 413, "That is too much at once.")
  }
  try {
    return Object(JSON.parse(given))
  } catch {
    throw new Problem("bad-request", 400, "That cannot be read.")
  }
}

function json(response: ServerResponse, status: number, value: object): void {
  const bytes = Buffer.from(JSON.stringify(value))
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  })
  response.end(bytes)
}
