import {
  request as ask,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http"
import type { Socket } from "node:net"
import { pipeline } from "node:stream"
import type { Admission } from "../admission.ts"
import { refuse } from "../relay/handshake.ts"
import { isOurs, PORT_COOKIE, tokenIn, toProgram, toVisitor } from "./headers.ts"
import { isPort, type Listener } from "./listeners.ts"
import { type NoPage, sayWhy } from "./pages.ts"
import type { Visitors } from "./visitors.ts"

/** What is traded for the cookie that lets in: a ticket of somebody signed in, or what a link of theirs holds. */
export type Entry = { ticket: string } | { share: string }

export interface PortDoorOptions {
  visitors: Visitors
  find(port: number): Promise<Listener | null>
  /** Trades what somebody brought along for a token of this port. */
  redeem(entry: Entry, port: number): Promise<{ answer: Admission; token: string | null }>
  /** The service's page that leads to this workspace; null where there is none. */
  entry: string | null
}

/** The one path of a port's host that is not the program's. */
const ENTER = "/.foozol/enter"
const WHY: Record<Exclude<Admission, "admitted">, NoPage> = {
  "signed-out": "no-token",
  "another's": "another's",
  unknown: "away",
}

/** A request to a port's host, with what NGINX has found in its name. */
interface Asked {
  request: IncomingMessage
  host: string
  port: number
}

/**
 * The way to web servers of the workspace's user, each at a host of its own: `PORT.NAME`. NGINX says which port by
 * `X-Foozol-Port`. Who may come in is asked here and not by NGINX, since pages of development servers ask for hundreds
 * of files; and here what is open can be ended.
 */
export function createPortDoor(options: PortDoorOptions): Server {
  const server = createServer((request, response) => {
    const asked = read(request)
    if (asked === null) return void response.writeHead(404).end()
    serve(options, asked, response).catch(() => response.destroy())
  })
  // An upload takes as long as it takes; NGINX judges silence.
  server.requestTimeout = 0
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => {})
    const asked = read(request)
    if (asked === null) return refuse(socket, 404)
    join(options, asked, socket, head).catch(() => socket.destroy())
  })
  return server
}

function read(request: IncomingMessage): Asked | null {
  const { host = "", "x-foozol-port": named = "" } = request.headers
  const port = Number(named)
  return isPort(port) && host !== "" ? { request, host, port } : null
}

/** Why this request is not for the program; null where it is. */
async function refusal(
  { visitors }: PortDoorOptions,
  { request, host, port }: Asked,
  token: string | null,
  isUpgrade: boolean,
): Promise<NoPage | null> {
  if (!isOurs(request.method ?? "", request.headers, host, isUpgrade)) return "foreign"
  if (token === null) return "no-token"
  const answer = await visitors.admit(token, port)
  return answer === "admitted" ? null : WHY[answer]
}

async function serve(options: PortDoorOptions, asked: Asked, response: ServerResponse): Promise<void> {
  const { request, host, port } = asked
  const signIn = options.entry && `${options.entry}&to=port-${port}`
  const say = (why: NoPage) => sayWhy(response, why, port, signIn)
  response.on("error", () => {})
  const url = new URL(request.url ?? "/", "http://port")
  if (url.pathname === ENTER) return enter(options, asked, url.searchParams, response)
  const token = tokenIn(request.headers.cookie)
  const why = await refusal(options, asked, token, false)
  if (why !== null || token === null) return say(why ?? "no-token")
  const listener = await options.find(port)
  if (listener === null) return say("nobody")

  const headers = toProgram(request.headers, host, port)
  const call = askProgram(options, asked, listener, { token, headers, visitor: response })
  if (call === null) return say("no-token")
  // More than one may come: of the connection, and of what was still to be written to it.
  call.on("error", () => response.destroyed || say("failed"))
  // Also when it answered with another protocol, which nobody asked for.
  call.once("close", () => response.headersSent || say("failed"))
  call.once("response", answer => {
    try {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, toVisitor(answer.headers, host, port))
    } catch {
      // Characters that no answer may have.
      return void response.destroy()
    }
    // What streams begins before there is anything in it.
    response.flushHeaders()
    pipeline(answer, response, () => {})
  })
  request.pipe(call)
}

/**
 * Asks the program for somebody who was admitted, for as long as they are and wait for it.
 * @returns null where they are not, or do not, any more: then nothing was asked
 */
function askProgram(
  { visitors }: PortDoorOptions,
  { request, port }: Asked,
  { host }: Listener,
  { token, headers, visitor }: { token: string; headers: OutgoingHttpHeaders; visitor: ServerResponse | Socket },
): ClientRequest | null {
  // Whose close nobody would hear of would be held for ever.
  if (visitor.destroyed) return null
  let call: ClientRequest | undefined
  const release = visitors.hold(token, port, () => {
    call?.destroy()
    visitor.destroy()
  })
  if (release === null) return null
  visitor.once("close", () => {
    release()
    call?.destroy()
  })
  const { method = "GET", url: path = "/" } = request
  // Last: an error of a request that nobody has at hand would be one of the whole agent.
  call = ask({ host, port, agent: false, setHost: false, method, path, headers })
  return call
}

/** Lets somebody in who brings a ticket or a link's secret along, and leads them on without it. */
async function enter(
  options: PortDoorOptions,
  { port }: Asked,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const [ticket, share] = [query.get("ticket"), query.get("share")]
  const entry = ticket !== null ? { ticket } : share !== null ? { share } : null
  const { answer, token } =
    entry === null ? { answer: "signed-out" as const, token: null } : await options.redeem(entry, port)
  if (answer !== "admitted" || token === null) {
    const why = answer === "admitted" ? "no-token" : WHY[answer]
    return sayWhy(response, why, port, options.entry && `${options.entry}&to=port-${port}`)
  }
  response.writeHead(303, {
    location: "/",
    "set-cookie": `${PORT_COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Lax`,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  })
  response.end()
}

/** An upgraded connection: both sides are joined when the program has agreed. */
async function join(options: PortDoorOptions, asked: Asked, socket: Socket, head: Buffer): Promise<void> {
  const { request, host, port } = asked
  const token = tokenIn(request.headers.cookie)
  const why = await refusal(options, asked, token, true)
  if (why !== null || token === null) return refuse(socket, why === "no-token" ? 401 : why === "away" ? 503 : 403)
  const listener = await options.find(port)
  if (listener === null) return refuse(socket, 502)

  const headers = { ...toProgram(request.headers, host, port), connection: "Upgrade", upgrade: request.headers.upgrade }
  const call = askProgram(options, asked, listener, { token, headers, visitor: socket })
  if (call === null) return refuse(socket, 401)
  let isAnswered = false
  call.on("error", () => (isAnswered ? socket.destroy() : refuse(socket, 502)))
  call.once("response", answer => {
    isAnswered = true
    socket.write(headOf(answer, { ...toVisitor(answer.headers, host, port), connection: "close" }))
    pipeline(answer, socket, () => {})
  })
  call.once("upgrade", (answer, program: Socket, first: Buffer) => {
    isAnswered = true
    program.on("error", () => {})
    const { upgrade = "websocket" } = answer.headers
    socket.write(headOf(answer, { ...toVisitor(answer.headers, host, port), connection: "Upgrade", upgrade }))
    socket.write(first)
    program.write(head)
    for (const end of [socket, program]) {
      end.setTimeout(0)
      end.setNoDelay(true)
    }
    program.once("close", () => socket.destroy())
    socket.once("close", () => program.destroy())
    pipeline(program, socket, () => {})
    pipeline(socket, program, () => {})
  })
  call.end()
}

/** The beginning of an answer on a connection that no server writes for. */
function headOf(answer: IncomingMessage, headers: OutgoingHttpHeaders): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one => `${name}: ${one}`),
  )
  return [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...lines, "", ""].join("\r\n")
}
