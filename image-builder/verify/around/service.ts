import { createHash, randomBytes } from "node:crypto"
import { createServer, type ServerResponse } from "node:http"
import { listenOnLoopback } from "./loopback.ts"

/** A machine's report, as far as the checklist reads it. */
export interface MachineReport {
  ready: boolean
  checks: { name: string; ok: boolean; detail: string }[]
  bootId: string
  sessionId: string
}

/** What a machine is given at run time. */
export interface GivenSettings {
  env?: Record<string, string>
  secrets?: Record<string, string>
  proxy?: string | null
}

/** The side of the service that a machine talks to. Tokens and tickets are random: what is found in a log is one. */
export interface CheckService {
  port: number
  /** The machine's own key. */
  key: string
  reports: MachineReport[]
  /** A ticket that is good once, and the token it buys. */
  ticket(): { ticket: string; token: string }
  /** A token that is good, or is good for another machine. */
  token(whose?: "own" | "another's"): string
  /** Ends a token: with a word to the machine, or as time does it. */
  end(token: string, how: "revoked" | "expired"): void
  /** Settings for the machine, now and at each of its connections. */
  settings(given: GivenSettings): void
  /** Machines that listen for events. */
  listeners(): number
  away(yes: boolean): void
  /** Every token, ticket and key there was. */
  secrets(): string[]
  close(): Promise<void>
}

const secret = () => randomBytes(24).toString("base64url")

export async function startService(): Promise<CheckService> {
  const key = secret()
  const tickets = new Map<string, string>()
  const tokens = new Map<string, "own" | "another's">()
  const known = new Set([key])
  const streams = new Set<ServerResponse>()
  const reports: MachineReport[] = []
  let settings: GivenSettings = {}

  const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
  const push = (type: string, data: object) => {
    for (const stream of streams) stream.write(event(type, data))
  }

  function authorize(ticket: string | undefined, token: string | undefined, response: ServerResponse): void {
    if (ticket !== undefined) {
      const bought = tickets.get(ticket)
      tickets.delete(ticket)
      if (bought === undefined) return void response.writeHead(401).end()
      tokens.set(bought, "own")
      return void response.writeHead(204, { "x-foozol-token": bought }).end()
    }
    const whose = tokens.get(token ?? "")
    response.writeHead(whose === undefined ? 401 : whose === "own" ? 204 : 403).end()
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://service")
    if (request.headers.authorization !== `Bearer ${key}`) return void response.writeHead(401).end()
    const header = (name: string) => request.headers[name]?.toString()
    switch (`${request.method} ${pathname}`) {
      case "GET /vnc/authorize":
        return authorize(header("x-foozol-ticket"), header("x-foozol-token"), response)
      case "POST /machine/report": {
        let text = ""
        request.setEncoding("utf8").on("data", part => {
          text += part
        })
        request.once("end", () => {
          reports.push(JSON.parse(text))
          response.writeHead(204).end()
        })
        return
      }
      case "GET /machine/events":
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" })
        response.write(event("settings", settings))
        streams.add(response)
        return void response.once("close", () => streams.delete(response))
      default:
        response.writeHead(404).end()
    }
  })
  const listening = await listenOnLoopback(server)
  // A stream that says nothing for a minute is taken for dead by the machine.
  const breath = setInterval(() => {
    for (const stream of streams) stream.write(": still here\n\n")
  }, 20_000)
  const remembered = (value: string) => {
    known.add(value)
    return value
  }
  return {
    port: listening.port,
    key,
    reports,
    ticket: () => {
      const [ticket, token] = [remembered(secret()), remembered(secret())]
      tickets.set(ticket, token)
      return { ticket, token }
    },
    token: (whose = "own") => {
      const token = remembered(secret())
      tokens.set(token, whose)
      return token
    },
    end: (token, how) => {
      tokens.delete(token)
      if (how === "revoked") push("revoke", { tokenHash: createHash("sha256").update(token).digest("hex") })
    },
    settings: given => {
      settings = given
      for (const value of Object.values(given.secrets ?? {})) known.add(value)
      push("settings", given)
    },
    listeners: () => streams.size,
    away: listening.away,
    secrets: () => [...known],
    close: () => {
      clearInterval(breath)
      return listening.close()
    },
  }
}
