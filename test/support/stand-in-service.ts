import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { ConversationReport } from "../../image-builder/agent/conversations/keeper.ts"

export interface StandInService {
  url: string
  key: string
  /** Tokens that are good, and the machine's key with them. */
  tokens: Set<string>
  /** Tokens that are good, for another workspace. */
  foreign: Set<string>
  /** Tickets by the token each is good for, once. */
  tickets: Map<string, string>
  reports: Record<string, unknown>[]
  /** How often a viewer's first picture was told of. */
  firstFrames: number
  /** What was told of conversations with coding agents, and of prompts for them. */
  conversations: ConversationReport[]
  prompted: { id: string; refusal: string | null }[]
  /** Answers to wishes for dev containers. */
  devContainers: { id: string; refusal: string | null }[]
  /** What was told by machines that were to sleep and are on. */
  awake: object[]
  /** What a machine is told at every connection. */
  settings: object
  /** How often a token was asked about. */
  asked: number
  /** While true, every request is answered by 503 and streams of events are cut. */
  away(yes: boolean): void
  /** How many machines listen for events. */
  listeners(): number
  /** Sends an event to the machines that listen. */
  push(type: string, data?: object): void
  /** Takes a token back and says so at once; `silently` is as if the push was lost. */
  revoke(token: string, silently?: boolean): void
  close(): Promise<void>
}

/** The part of the service that a machine talks to, with nothing behind it: authorize, report, events. */
export async function startStandInService(options: { key?: string; port?: number } = {}): Promise<StandInService> {
  const key = options.key ?? "k".repeat(43)
  const streams = new Set<ServerResponse>()
  let away = false
  // As the service does; who hears nothing for a minute connects anew, and misses what is pushed meanwhile.
  const beats = setInterval(() => {
    for (const stream of streams) stream.write(": beat\n\n")
  }, 15_000).unref()

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://service")
    if (away) return void response.writeHead(503).end()
    if (request.headers.authorization !== `Bearer ${key}`) return void response.writeHead(401).end()
    switch (`${request.method} ${pathname}`) {
      case "GET /vnc/authorize":
        return authorize(one(request.headers["x-foozol-ticket"]), one(request.headers["x-foozol-token"]), response)
      case "POST /machine/report":
        return heard(request, response, body => service.reports.push(body))
      case "POST /machine/first-frame":
        return heard(request, response, () => service.firstFrames++)
      case "POST /machine/conversations":
        return heard(request, response, body => service.conversations.push(body as never))
      case "POST /machine/awake":
        return heard(request, response, body => service.awake.push(body))
      case "POST /machine/prompted":
        return heard(request, response, body => service.prompted.push(body as never))
      case "POST /machine/dev-container":
        return heard(request, response, body => service.devContainers.push(body as never))
      case "GET /machine/events":
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
        response.write(`event: settings\ndata: ${JSON.stringify(service.settings)}\n\n`)
        streams.add(response)
        return void response.on("close", () => streams.delete(response))
      default:
        response.writeHead(404).end()
    }
  })

  function heard(request: IncomingMessage, response: ServerResponse, hear: (body: Record<string, unknown>) => void) {
    let text = ""
    request.setEncoding("utf8").on("data", part => {
      text += part
    })
    request.on("end", () => {
      hear(JSON.parse(text))
      response.writeHead(204).end()
    })
  }

  function authorize(ticket: string | undefined, token: string | undefined, response: ServerResponse): void {
    service.asked++
    if (ticket !== undefined) {
      const bought = service.tickets.get(ticket)
      service.tickets.delete(ticket)
      if (bought === undefined) return void response.writeHead(401).end()
      service.tokens.add(bought)
      return void response.writeHead(204, { "x-foozol-token": bought }).end()
    }
    const status = token === undefined ? 401 : service.tokens.has(token) ? 204 : service.foreign.has(token) ? 403 : 401
    response.writeHead(status).end()
  }

  const service: StandInService = {
    url: "",
    key,
    tokens: new Set(),
    foreign: new Set(),
    tickets: new Map(),
    reports: [],
    firstFrames: 0,
    conversations: [],
    prompted: [],
    devContainers: [],
    awake: [],
    settings: {},
    asked: 0,
    away: yes => {
      away = yes
      if (yes) for (const stream of streams) stream.destroy()
    },
    listeners: () => streams.size,
    push: (type, data = {}) => {
      for (const stream of streams) stream.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    revoke: (token, silently = false) => {
      service.tokens.delete(token)
      if (!silently) service.push("revoke", { tokenHash: createHash("sha256").update(token).digest("hex") })
    },
    close: async () => {
      clearInterval(beats)
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  await new Promise<void>(resolve => server.listen(options.port ?? 0, "127.0.0.1", resolve))
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return service
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)
