import type { IncomingMessage, ServerResponse } from "node:http"
import { isSecret, listen, readBody, type StandInFault, strike } from "../stand-in.ts"
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

export type ScalewayFault = StandInFault<ScalewayRefusal>

export interface LocalScaleway {
  url: string
  state: ScalewayState
  faults: ScalewayFault[]
  close(): Promise<void>
}

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
    const fault = strike(faults, `${method} ${path}`)
    let answered: Answered
    try {
      if (!isSecret(request.headers["x-auth-token"], state.settings.token)) throw denied()
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

  return { ...(await listen(handle, port)), state, faults }
}
