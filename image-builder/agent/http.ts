import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { type Clipboard, MOST_CLIPBOARD } from "./clipboard.ts"
import { clampSize, type Display } from "./display.ts"
import type { FilesDoor } from "./files/door.ts"
import { refuse } from "./relay/handshake.ts"
import type { Relay, Way } from "./relay/relay.ts"
import type { ViewerEvents } from "./viewer-events.ts"

export interface HttpOptions {
  relay: Relay
  /** Where streams lead, by their path; the desktop's is /vnc. */
  ways?: Record<string, Way>
  /** The way to the home's files. */
  files?: FilesDoor
  display: Display
  clipboard?: Clipboard
  events: ViewerEvents
  status(): Promise<object>
  /** A person wants the workspace to stay on. @returns whether the service has heard of it */
  stayOn(): Promise<boolean>
  /** A viewer has drawn its first picture. */
  firstFrame(): void
}

const MAX_BODY = 4096
/** A text for the clipboard, in JSON. */
const MOST_ESCAPED = 2 * MOST_CLIPBOARD
/** Longest line and headers of a request: the names of files stand in it. */
const MAX_HEADER = 48 * 1024

/** What NGINX passes on: streams, the viewer's questions below /agent/, and files. NGINX has admitted them. */
export function createHttp(options: HttpOptions): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADER }, (request, response) => {
    answer(options, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  // A viewer's connection may be silent for as long as its workspace is.
  server.keepAliveTimeout = 75_000
  // A piece of a file may take long over a slow line; NGINX ends what stands still.
  server.requestTimeout = 0
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => {})
    const pathname = pathOf(request)
    const { relay, ways = {} } = options
    const way = Object.hasOwn(ways, pathname) ? ways[pathname] : undefined
    if (pathname !== "/vnc" && way === undefined) return refuse(socket, 404)
    relay.upgrade(request, socket, head, way).catch(() => socket.destroy())
  })
  return server
}

/** Empty for what is no path: whoever is let in may send anything. */
const pathOf = ({ url = "/" }: IncomingMessage) => URL.parse(url, "http://agent")?.pathname ?? ""

async function answer(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pathname = pathOf(request)
  const isStream = pathname === "/vnc" || Object.hasOwn(options.ways ?? {}, pathname)
  if (request.method === "GET" && isStream) return json(response, 426, { id: "websocket-only" })
  if (options.files && pathname.startsWith("/files/")) return options.files.answer(request, response)
  if (options.clipboard && pathname === "/agent/clipboard") return paste(options.clipboard, request, response)
  switch (`${request.method} ${pathname}`) {
    case "GET /agent/status":
      return json(response, 200, await options.status())
    case "GET /agent/events": {
      const token = request.headers["x-foozol-token"]
      if (typeof token !== "string" || token === "") return json(response, 401, { id: "no-token" })
      return options.events.add(response, token)
    }
    case "POST /agent/resize": {
      const size = clampSize(await body(request))
      if (size === null) return json(response, 400, { id: "no-size" })
      const now = await options.display.resize(size)
      return now ? json(response, 200, now) : json(response, 503, { id: "no-display" })
    }
    case "POST /agent/stay":
      return json(response, (await options.stayOn()) ? 200 : 503, {})
    case "POST /agent/first-frame":
      options.firstFrame()
      return json(response, 202, {})
    default:
      return json(response, 404, { id: "not-found" })
  }
}

/** The desktop's clipboard, read or written. */
async function paste(clipboard: Clipboard, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "GET") return json(response, 200, { text: await clipboard.text() })
  if (request.method !== "POST") return json(response, 405, { id: "no-method" })
  const { text } = ((await body(request, MOST_ESCAPED)) ?? {}) as { text?: unknown }
  if (typeof text !== "string" || Buffer.byteLength(text) > MOST_CLIPBOARD)
    return json(response, 400, { id: "no-text" })
  return json(response, (await clipboard.put(text)) ? 200 : 503, {})
}

/** The JSON of a request; undefined when it is none or too long. */
async function body(request: IncomingMessage, most = MAX_BODY): Promise<unknown> {
  let text = ""
  for await (const part of request.setEncoding("utf8")) {
    text += part
    if (text.length > most) return undefined
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
  response.end(JSON.stringify(value))
}
