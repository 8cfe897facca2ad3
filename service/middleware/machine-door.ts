import type { IncomingMessage, ServerResponse } from "node:http"
import type { Metrics } from "../metrics.ts"
import type { Services } from "../services.ts"

/** Forms of what NGINX hands on; anything else needs no look into the store. */
const SECRET = /^[A-Za-z0-9_-]{20,200}$/
/** With or without a query, which says nothing here. */
const PATH = /^\/vnc\/authorize(\?|$)/
const PORT = /^[1-9]\d{3,4}$/
const ANSWER = { "Cache-Control": "no-store" }
/** A 204 has no body by itself; of any other the length must be told for the connection to be kept. */
const EMPTY_ANSWER = { ...ANSWER, "Content-Length": "0" }

/** Takes a request if it is its own, and says whether it is. */
export type Door = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * `GET /vnc/authorize`: may whoever shows this token, this entry ticket, or the secret of a share's link, onto the machine
 * that asks, or to its port in `X-Foozol-Port`? Answers 204 (for a ticket or a share with the new token in
 * `X-Foozol-Token`), 401, 403, and 503 when it cannot know; never with a body.
 * It stands before everything else, Koa included: every page, upgrade and re-check of every viewer comes by here.
 */
export function machineDoor(
  services: Pick<Services, "machineKeys" | "tokens" | "shares" | "now" | "log">,
  metrics: Metrics,
): Door {
  const { machineKeys, tokens, shares, now, log } = services
  let away = false

  async function answer({ headers }: IncomingMessage, response: ServerResponse): Promise<number> {
    const workspace = await machineKeys.workspaceOf(headers.authorization)
    if (!workspace) return 401
    const text = (name: string) => String(headers[name] ?? "")
    const [ticket, share, port] = [text("x-foozol-ticket"), text("x-foozol-share"), text("x-foozol-port")]
    if (port !== "" && !PORT.test(port)) return 403
    if (ticket || share) {
      if (!SECRET.test(ticket || share) || (share && !port)) return 401
      const given = ticket
        ? await tokens.redeem(ticket, workspace, now(), port)
        : await shares.enter(share, workspace, port, now())
      if (given.token) response.setHeader("X-Foozol-Token", given.token)
      return given.answer
    }
    const token = text("x-foozol-token")
    return SECRET.test(token) ? tokens.authorize(token, workspace, now(), port) : 401
  }

  async function decide(request: IncomingMessage, response: ServerResponse): Promise<number> {
    if (request.method !== "GET") return 405
    try {
      const status = await answer(request, response)
      away = false
      return status
    } catch (error) {
      if (!away) log.warn({ err: error }, "admission cannot be decided; nobody is let in")
      away = true
      return 503
    }
  }

  return (request, response) => {
    if (!PATH.test(request.url ?? "")) return false
    void decide(request, response).then(status => {
      metrics.authorize.inc({ answer: String(status) })
      response.writeHead(status, status === 204 ? ANSWER : EMPTY_ANSWER).end()
    })
    return true
  }
}
