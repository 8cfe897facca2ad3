import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { clampSize, type Display } from "./display.ts"
import { refuse } from "./relay/handshake.ts"
import type { Relay, Way } from "./relay/relay.ts"
import type { ViewerEvents } from "./viewer-events.ts"

export interface HttpOptions {
  relay: Relay
  /** The way to the terminals, where there are any. */
  toTerminals?: Way
  display: Display
  events: ViewerEvents
  status(): Promise<object>
  /** A person wants the workspace to stay on. @returns whether the service has heard of it */
  stayOn(): Promise<boolean>
}

const MAX_BODY = 4096

/** What NGINX passes on: the relay at /vnc and /terminal/stream, and the viewer's questions below /agent/. NGINX has admitted them. */
export function createHttp(options: HttpOptions): Server {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  // A viewer's connection may be silent for as long as its workspace is.
  server.keepAliveTimeout = 75_000
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const { pathname } = new URL(request.url ?? "/", "http://agent")
    const { relay, toTerminals } = options
    const isTerminal = pathname === "/terminal/stream" && toTerminals !== undefined
    if (pathname !== "/vnc" && !isTerminal) return refuse(socket, 404)
    relay.upgrade(request, socket, head, isTerminal ? toTerminals : undefined).catch(() => socket.destroy())
  })
  return server
}

async function answer(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://agent")
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
    case "GET /vnc":
    case "GET /terminal/stream":
      return json(response, 426, { id: "websocket-only" })
    default:
      return json(response, 404, { id: "not-found" })
  }
}

/** The JSON of a request; undefined when it is none or too long. */
async function body(request: IncomingMessage): Promise<unknown> {
  let text = ""
  for await (const part of request.setEncoding("utf8")) {
    text += part
    if (text.length > MAX_BODY) return undefined
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
