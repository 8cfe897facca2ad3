import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import type { Admission } from "../admission.ts"

export interface ServiceClient {
  /** Asks whether a token still admits; anything but a clear answer is `unknown`. */
  authorize(token: string): Promise<Admission>
  /** @throws when the service did not take the report */
  report(report: object): Promise<void>
  /** Says that the machine holds still for a backup. @throws when it is not heard */
  frozen(answer: object): Promise<void>
  /** Says how the conversations with coding agents are. @throws when it is not heard */
  conversations(report: object): Promise<void>
  /** Says whether a prompt was given. @throws when it is not heard */
  prompted(answer: object): Promise<void>
  /** Says what was found on a machine that tries a backup out. @throws when it is not heard */
  proof(report: object): Promise<void>
  /** Opens the stream of events; ends when the signal aborts. @throws when it cannot be opened */
  events(signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

/** A stream of events that is silent for so long is taken for dead. */
const SILENCE_MS = 60_000

/**
 * What the agent asks of its service. Node's own client and one connection kept alive: a fetch implementation would
 * cost a good part of the agent's memory.
 */
export function createServiceClient(options: { service: string; key: string; timeoutMs: number }): ServiceClient {
  const base = options.service.replace(/\/+$/, "")
  const secure = base.startsWith("https:")
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const authorization = `Bearer ${options.key}`

  function call(method: string, path: string, given: { headers?: Record<string, string>; body?: string }) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization, ...given.headers }
      const request = (secure ? httpsRequest : httpRequest)(`${base}${path}`, { method, agent, headers }, resolve)
      // Counts from the beginning: a service that takes the connection and is silent is away too.
      const timer = setTimeout(
        () => request.destroy(new Error("the service did not answer in time")),
        options.timeoutMs,
      )
      request.once("response", () => clearTimeout(timer))
      request.once("close", () => clearTimeout(timer))
      request.once("error", reject)
      request.end(given.body)
    })
  }

  async function post(path: string, body: object): Promise<void> {
    const headers = { "content-type": "application/json" }
    const answer = await call("POST", path, { headers, body: JSON.stringify(body) })
    answer.resume()
    const status = answer.statusCode ?? 0
    if (status < 200 || status > 299) throw new Error(`the service answered ${status} to a report`)
  }

  return {
    authorize: async token => {
      try {
        const answer = await call("GET", "/vnc/authorize", { headers: { "x-foozol-token": token } })
        answer.resume()
        if (answer.statusCode === 204) return "admitted"
        if (answer.statusCode === 401) return "signed-out"
        return answer.statusCode === 403 ? "another's" : "unknown"
      } catch {
        return "unknown"
      }
    },
    report: report => post("/machine/report", report),
    frozen: answer => post("/machine/frozen", answer),
    conversations: report => post("/machine/conversations", report),
    prompted: answer => post("/machine/prompted", answer),
    proof: report => post("/machine/proof", report),
    events: async signal => {
      signal.throwIfAborted()
      const answer = await call("GET", "/machine/events", { headers: { accept: "text/event-stream" } })
      if (answer.statusCode !== 200) {
        answer.resume()
        throw new Error(`the service answered ${answer.statusCode} to the wish for events`)
      }
      answer.setEncoding("utf8")
      answer.setTimeout(SILENCE_MS, () => answer.destroy(new Error("the service's events fell silent")))
      signal.addEventListener("abort", () => answer.destroy(), { once: true })
      if (signal.aborted) answer.destroy()
      return answer
    },
    close: () => agent.destroy(),
  }
}
