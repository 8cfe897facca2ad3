import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { answerOf } from "./answers.ts"
import { QUOTAS, ZONES } from "./catalog.ts"
import { GoogleRefusal } from "./errors.ts"
import { createGcpState, type GcpSettings, type GcpState, type Json } from "./state.ts"

/** One request and what was answered, for whoever checks them. */
export interface Exchange {
  method: string
  path: string
  query: URLSearchParams
  body: Json | null
  status: number
  answer: Json
}

/** What goes wrong with one of the next requests that fit. */
export interface GcpFault {
  /** Fits `METHOD /path`. */
  at: RegExp
  /** An answer instead of what was asked for; null: it is done, and the answer is lost. */
  refusal: { status: number; reason: string; message: string } | null
  times: number
}

export interface LocalGcp {
  url: string
  state: GcpState
  faults: GcpFault[]
  close(): Promise<void>
}

/** Longest request body, bytes: Google's limit of metadata is 512 KiB. */
const MAX_BODY = 1024 * 1024

/**
 * The part of Google's Compute Engine, Cloud DNS and price list that this project asks for, over records in memory. It
 * boots nothing: what depends on Google's answers can be tried with it, machines cannot.
 */
export async function startLocalGcp(
  settings: Partial<GcpSettings> & Pick<GcpSettings, "project" | "token">,
  { port = 0, heard }: { port?: number; heard?: (exchange: Exchange) => void } = {},
): Promise<LocalGcp> {
  const state = createGcpState({ operationMs: 1_000, quotas: { ...QUOTAS }, clock: Date.now, ...settings })
  const faults: GcpFault[] = []
  const repeated = new Map<string, Json>()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://local")
    const method = request.method ?? "GET"
    const body = await readBody(request)
    const fault = faults.find(one => one.times > 0 && one.at.test(`${method} ${path}`))
    if (fault) fault.times--
    let [status, answer]: [number, Json] = [200, {}]
    try {
      if (!isToken(request.headers.authorization, state.settings.token))
        throw new GoogleRefusal(401, "authError", "Invalid Credentials")
      if (fault?.refusal) throw new GoogleRefusal(fault.refusal.status, fault.refusal.reason, fault.refusal.message)
      // A request that is repeated with its id is not done twice.
      const id = query.get("requestId")
      const key = `${method} ${path} ${id}`
      answer = (id ? repeated.get(key) : undefined) ?? answerOf(state, ZONES, { method, path, query, body: body ?? {} })
      if (id) repeated.set(key, answer)
    } catch (error) {
      const refusal =
        error instanceof GoogleRefusal ? error : new GoogleRefusal(500, "backendError", `Local fault: ${String(error)}`)
      status = refusal.status
      answer = refusal.body()
    }
    heard?.({ method, path, query, body, status, answer: structuredClone(answer) })
    if (fault && !fault.refusal) {
      request.socket.destroy()
      return
    }
    response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(answer))
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  }).listen(port, "127.0.0.1")
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    faults,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function readBody(request: IncomingMessage): Promise<Json | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY) throw new Error("The body is too long")
    parts.push(part)
  }
  return bytes === 0 ? null : (JSON.parse(Buffer.concat(parts).toString()) as Json)
}

function isToken(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
