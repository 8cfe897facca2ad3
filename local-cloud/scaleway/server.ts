import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type Answered, answerOf } from "./answers.ts"
import { QUOTAS } from "./catalog.ts"
import { denied, ScalewayRefusal } from "./errors.ts"
import { createScalewayState, type Json, type ScalewaySettings, type ScalewayState } from "./state.ts"

/** One request and what was answered, for whoever checks them. */
export interface Exchange {
  method: string
  path: string
  query: URLSearchParams
  body: Json
  status: number
  answer: Json
}

/** What goes wrong with one of the next requests that fit. */
export interface ScalewayFault {
  /** Fits `METHOD /path`. */
  at: RegExp
  /** An answer instead of what was asked for; null: it is done, and the answer is lost. */
  refusal: ScalewayRefusal | null
  times: number
}

export interface LocalScaleway {
  url: string
  state: ScalewayState
  faults: ScalewayFault[]
  close(): Promise<void>
}

/** Longest request body, bytes. */
const MAX_BODY = 1024 * 1024

/**
 * The part of Scaleway's Instances, Block Storage and Domains and DNS that this project asks for, over records in memory.
 * It boots nothing: what depends on Scaleway's answers can be tried with it, machines cannot.
 */
export async function startLocalScaleway(
  settings: Partial<ScalewaySettings> & Pick<ScalewaySettings, "project" | "token">,
  { port = 0, heard }: { port?: number; heard?: (exchange: Exchange) => void } = {},
): Promise<LocalScaleway> {
  const state = createScalewayState({ transientMs: 1_000, quotas: { ...QUOTAS }, clock: Date.now, ...settings })
  const faults: ScalewayFault[] = []

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://local")
    const method = request.method ?? "GET"
    const text = await readBody(request)
    const isJson = request.headers["content-type"] === "application/json"
    const body = isJson ? (JSON.parse(text) as Json) : {}
    const fault = faults.find(one => one.times > 0 && one.at.test(`${method} ${path}`))
    if (fault) fault.times--
    let answered: Answered
    try {
      if (!isToken(request.headers["x-auth-token"], state.settings.token)) throw denied()
      if (fault?.refusal) throw fault.refusal
      answered = answerOf(state, { method, path, query, body, text })
    } catch (error) {
      const refusal =
        error instanceof ScalewayRefusal
          ? error
          : new ScalewayRefusal(500, "internal_error", `Local fault: ${String(error)}`)
      answered = { status: refusal.status, body: refusal.body() }
    }
    const { status, total } = answered
    heard?.({ method, path, query, body, status, answer: structuredClone(answered.body) })
    if (fault && !fault.refusal) {
      request.socket.destroy()
      return
    }
    response
      .writeHead(status, {
        "content-type": "application/json",
        ...(total === undefined ? {} : { "x-total-count": String(total) }),
      })
      .end(status === 204 ? undefined : JSON.stringify(answered.body))
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

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY) throw new Error("The body is too long")
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function isToken(header: string | string[] | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(String(header ?? "")), Buffer.from(token)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
