import { readdir } from "node:fs/promises"
import { Agent, request as ask, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http"
import { join } from "node:path"
import type { Relay } from "../relay/relay.ts"

export interface FilesDoor {
  /** Answers a request below `/files/`. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

/** A connection for each request, closed by us: one that the other side closes takes an answer along that is not read yet. */
const connections = new Agent({ keepAlive: true, maxFreeSockets: 0 })
/** Headers that go on to the files' program, and those of its answers that come back. */
const ASKED = ["content-type", "content-length", "range", "if-range"]
const ANSWERED = [
  ...["content-type", "content-length", "content-disposition", "content-range", "content-security-policy", "etag"],
  ...["accept-ranges", "cache-control", "x-content-type-options", "x-foozol-left-out"],
]

/** A transfer is a sign of use for as long as bytes flow; noted so often, in ms. */
const NOTE_MS = 5_000
/** Bytes after which what they went through is collected: V8 itself waits for tens of megabytes of it. */
const COLLECT_AFTER = 2 * 1024 * 1024
/** Uploads that were left are looked for some minutes after the start, then daily. */
const [TIDY_FIRST_MS, TIDY_MS] = [300_000, 86_400_000]

/**
 * The way from browsers to the program that has the files of the home (`file-server/`), which runs as the user and
 * knows nothing of tokens. What takes long is held by the relay, so that it ends with its token.
 * @param options.socket where that program is connected to
 */
export function createFilesDoor(options: {
  relay: Relay
  socket: string
  home: string
  clock?: () => number
}): FilesDoor {
  const { relay, socket, home, clock = () => performance.now() } = options
  let notedAt = Number.NEGATIVE_INFINITY
  let flowed = 0

  function note(bytes: Buffer): void {
    flowed += bytes.length
    if (flowed >= COLLECT_AFTER) {
      flowed = 0
      // There with --expose-gc, which the unit says.
      globalThis.gc?.({ type: "minor" })
    }
    if (clock() - notedAt < NOTE_MS) return
    notedAt = clock()
    relay.noteInput()
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = request.headers["x-foozol-token"]
    if (typeof token !== "string" || token === "") return refuse(request, response, 401)
    if (isForeignRead(request)) return refuse(request, response, 403)
    if (!isTransfer(request)) return pass(request, response, () => {})
    const cut = () => {
      request.destroy()
      response.destroy()
    }
    const over = await relay.hold(token, { cut })
    if (typeof over === "number") return refuse(request, response, over)
    // Of whoever left meanwhile nothing more would be heard, and it would be held for ever.
    if (response.destroyed) return over()
    return pass(request, response, note).finally(over)
  }

  /** Both ways at once, no faster than the slower side; resolves when it is over, whichever way. */
  function pass(request: IncomingMessage, response: ServerResponse, flows: (bytes: Buffer) => void): Promise<void> {
    return new Promise(resolve => {
      const { method = "GET", url: path = "/" } = request
      const call = ask({ socketPath: socket, method, path, headers: only(request.headers, ASKED), agent: connections })
      const end = () => {
        call.destroy()
        resolve()
      }
      call.on("response", told => {
        response.writeHead(told.statusCode ?? 500, only(told.headers, ANSWERED))
        told.on("data", flows).pipe(response)
        // One that breaks off must not look whole.
        told.on("aborted", () => response.destroy()).on("error", () => response.destroy())
      })
      call.on("error", () => {
        if (response.headersSent) response.destroy()
        else if (!response.destroyed) refuse(request, response, 500)
      })
      response.on("close", end)
      request.on("aborted", () => call.destroy())
      request.on("data", flows).pipe(call)
    })
  }

  async function tidy(): Promise<void> {
    const left = await readdir(join(home, ".local/state/foozol/uploads")).catch(() => [])
    // Nobody is started for nothing.
    if (left.length === 0) return
    const call = ask({ socketPath: socket, method: "POST", path: "/files/tidy", agent: connections })
    call.on("response", told => told.resume()).on("error", () => {})
    call.end()
  }
  const timers = [setTimeout(tidy, TIDY_FIRST_MS), setInterval(tidy, TIDY_MS)]
  for (const timer of timers) timer.unref()

  return {
    answer,
    close: () => {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/** Another site's page may not even begin a download; browsers say where a request comes from. */
function isForeignRead({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"]
  return site !== undefined && site !== "same-origin" && site !== "none"
}

/** By the path as the files' program reads it: `/files/./zip` is one too. */
const isTransfer = ({ method, url = "" }: IncomingMessage) =>
  method === "PUT" ||
  (method === "GET" && /^\/files\/(download|zip)$/.test(URL.parse(url, "http://files")?.pathname ?? ""))

function only(headers: IncomingMessage["headers"], names: string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]])))
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  request.resume()
  const text = JSON.stringify({ id: "refused", message: "The workspace's files cannot be reached." })
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(text)
}
