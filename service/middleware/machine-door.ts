import { workspaceOfKey } from "../machines/workspace-key.ts"
import type { Metrics } from "../metrics.ts"
import type { Services } from "../services.ts"
import type { Context } from "./request-state.ts"

/** Forms of what NGINX hands on; anything else needs no look into the store. */
const SECRET = /^[A-Za-z0-9_-]{20,200}$/

/**
 * `GET /vnc/authorize`: may whoever shows this token, or this entry ticket, onto the machine that asks? Answers 204
 * (for a ticket with the new token in `X-Foozol-Token`), 401, 403, and 503 when it cannot know; never with a body.
 * It stands before all other middleware: every page, upgrade and re-check of every viewer comes by here.
 */
export function machineDoor(services: Pick<Services, "keys" | "tokens" | "now" | "log">, metrics: Metrics) {
  const { keys, tokens, now, log } = services
  let away = false

  async function answer(ctx: Context): Promise<number> {
    const workspace = workspaceOfKey(keys, ctx.get("authorization"))
    if (!workspace) return 401
    const ticket = ctx.get("x-foozol-ticket")
    if (ticket) {
      if (!SECRET.test(ticket)) return 401
      const redeemed = await tokens.redeem(ticket, workspace, now())
      if (redeemed.token) ctx.set("X-Foozol-Token", redeemed.token)
      return redeemed.answer
    }
    const token = ctx.get("x-foozol-token")
    return SECRET.test(token) ? tokens.authorize(token, workspace, now()) : 401
  }

  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    if (ctx.path !== "/vnc/authorize") return next()
    let status = 503
    if (ctx.method !== "GET") status = 405
    else {
      try {
        status = await answer(ctx)
        away = false
      } catch (error) {
        if (!away) log.warn({ err: error }, "admission cannot be decided; nobody is let in")
        away = true
      }
    }
    metrics.authorize.inc({ answer: String(status) })
    ctx.set("Cache-Control", "no-store")
    ctx.status = status
    // An empty text, not null: Koa would make a 204 of it, or write the status as words.
    if (status !== 204) {
      ctx.body = ""
      ctx.remove("Content-Type")
    }
  }
}
