import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import type { Admission } from "../admission.ts"
import type { HomeNews } from "../home-backup/order.ts"
import { type HomeChannel, Refused } from "../home-backup/storage.ts"
import type { Entry } from "../ports/door.ts"

export interface ServiceClient {
  /**
   * Asks whether a token still admits; anything but a clear answer is `unknown`.
   * @param port the one that its holder wants to see; without it they want the desktop
   */
  authorize(token: string, port?: number): Promise<Admission>
  /** Trades a ticket, or the secret of a link, for a token of one port. */
  redeem(entry: Entry, port: number): Promise<{ answer: Admission; token: string | null }>
  /** @throws when the service did not take the report */
  report(report: object): Promise<void>
  /** Says that a viewer has drawn its first picture. @throws when it is not heard */
  firstFrame(): Promise<void>
  /** Says that the machine holds still for a backup. @throws when it is not heard */
  frozen(answer: object): Promise<void>
  /** Says that it is on, asked to fall asleep as it was. @throws when it is not heard */
  awake(answer: { id: string }): Promise<void>
  /** Says how the conversations with coding agents are. @throws when it is not heard */
  conversations(report: object): Promise<void>
  /** Says whether a prompt was given. @throws when it is not heard */
  prompted(answer: object): Promise<void>
  /** Says whether a dev container is being made as it was wished. @throws when it is not heard */
  devContainer(answer: object): Promise<void>
  /** Says how far an order about the home is. @throws when it is not heard */
  home(news: HomeNews): Promise<void>
  /** What work on the home takes. */
  homeChannel: HomeChannel
  /** Says what was found on a machine that tries a backup out. @throws when it is not heard */
  proof(report: object): Promise<void>
  /** Opens the stream of events; ends when the signal aborts. @throws when it cannot be opened */
  events(signal: AbortSignal): Promise<IncomingMessage>
  /** Ends every connection; whatever is asked next makes a new one. */
  hangUp(): void
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
      // Not once: one that was given up may be hung up on, too.
      request.on("error", reject)
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

  /** @throws Refused where asking again is of no use */
  async function ask(path: string, body: object): Promise<Record<string, unknown>> {
    const headers = { "content-type": "application/json" }
    const answer = await call("POST", path, { headers, body: JSON.stringify(body) })
    let text = ""
    for await (const part of answer.setEncoding("utf8")) text += part
    const status = answer.statusCode ?? 0
    if (status === 200) return JSON.parse(text) as Record<string, unknown>
    const passes = status >= 500 || status === 408 || status === 429
    throw new (passes ? Error : Refused)(`the service answered ${status}`)
  }
  const homeChannel: HomeChannel = {
    password: async id => String((await ask("/machine/home-backup/password", { id })).password),
    sign: async (id, wish) => (await ask("/machine/home-backup/sign", { id, ...wish })) as never,
    list: async (id, folder) => (await ask("/machine/home-backup/list", { id, folder })).objects as never,
  }

  async function mayEnter(headers: Record<string, string>): Promise<{ answer: Admission; token: string | null }> {
    try {
      const answer = await call("GET", "/vnc/authorize", { headers })
      answer.resume()
      const token = answer.headers["x-foozol-token"]
      if (answer.statusCode === 204) return { answer: "admitted", token: typeof token === "string" ? token : null }
      if (answer.statusCode === 401) return { answer: "signed-out", token: null }
      return { answer: answer.statusCode === 403 ? "another's" : "unknown", token: null }
    } catch {
      return { answer: "unknown", token: null }
    }
  }

  return {
    homeChannel,
    home: news => post("/machine/home-backup", news),
    authorize: async (token, port) => {
      const of: Record<string, string> = port === undefined ? {} : { "x-foozol-port": String(port) }
      return (await mayEnter({ "x-foozol-token": token, ...of })).answer
    },
    redeem: async (entry, port) => {
      const [name, secret] = "ticket" in entry ? ["x-foozol-ticket", entry.ticket] : ["x-foozol-share", entry.share]
      // It came by a URL: what could be no secret of ours is not said on.
      if (!/^[\w-]{1,200}$/.test(secret)) return { answer: "signed-out", token: null }
      return mayEnter({ [name]: secret, "x-foozol-port": String(port) })
    },
    report: report => post("/machine/report", report),
    firstFrame: () => post("/machine/first-frame", {}),
    frozen: answer => post("/machine/frozen", answer),
    awake: answer => post("/machine/awake", answer),
    conversations: report => post("/machine/conversations", report),
    prompted: answer => post("/machine/prompted", answer),
    devContainer: answer => post("/machine/dev-container", answer),
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
    hangUp: () => agent.destroy(),
    close: () => agent.destroy(),
  }
}
