import type { IncomingMessage, ServerResponse } from "node:http"
import { isSecret, listen, readBody, type StandInFault, strike } from "../stand-in.ts"
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

export type GcpFault = StandInFault<{ status: number; reason: string; message: string }>

export interface LocalGcp {
  url: string
  state: GcpState
  faults: GcpFault[]
  close(): Promise<void>
}

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
    const text = await readBody(request)
    const body = text === "" ? null : (JSON.parse(text) as Json)
    const fault = strike(faults, `${method} ${path}`)
    if (fault?.hangs) return
    let [status, answer]: [number, Json] = [200, {}]
    try {
      if (!isSecret(request.headers.authorization, `Bearer ${state.settings.token}`))
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

  return { ...(await listen(handle, port)), state, faults }
}
