import { randomUUID } from "node:crypto"
import type { Logger } from "pino"
import { InfraError, toErrorValue } from "../../infra/errors.ts"
import { forOwner, ServiceError } from "../errors.ts"
import type { Metrics } from "../metrics.ts"
import type { Caller, Context } from "./request-state.ts"

/** What an error looks like from outside. */
export interface Problem {
  status: number
  id: string
  title: string
  detail: string
  next: string
  retryAfter?: number | undefined
}

/** Error as a problem; what is not meant for users says nothing of itself. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ServiceError) {
    const { status, id, message, next, retryAfter } = error
    return { status, id, title: TITLES[status] ?? "Error", detail: message, next, retryAfter }
  }
  if (error instanceof InfraError) {
    const status = error.next === "retry" ? 503 : 502
    const { id, next, message } = forOwner(toErrorValue(error))
    return { status, id, title: "The cloud provider", detail: message, next }
  }
  const { status, expose, message } = error as { status?: number; expose?: boolean; message?: string }
  if (expose && status && status < 500) {
    return { status, id: "bad-request", title: TITLES[status] ?? "Bad request", detail: `${message}.`, next: "fail" }
  }
  if (isRedisAway(error)) {
    const detail = "The service cannot reach its store at the moment: try again in a few seconds."
    return { status: 503, id: "store-away", title: "Away for a moment", detail, next: "retry", retryAfter: 5 }
  }
  const detail =
    "Something unexpected went wrong. It has been written down; try again, or tell the operator the request id."
  return { status: 500, id: "internal", title: "Something went wrong", detail, next: "investigate" }
}

const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Not possible here",
  409: "Not now",
  413: "Too much",
  415: "Not that kind",
  422: "Not valid",
  429: "Too often",
  503: "Away for a moment",
}

function isRedisAway(error: unknown): boolean {
  const { name = "", message = "" } = (error ?? {}) as Error
  return (
    name === "MaxRetriesPerRequestError" ||
    /Stream isn't writeable|Connection is closed|ECONNREFUSED|LOADING|READONLY/.test(message)
  )
}

/** Gives each request an id, times it, writes one line about it, and turns errors into answers. */
export function requests(log: Logger, metrics: Metrics, showProblem: (ctx: Context, problem: Problem) => void) {
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    const begun = performance.now()
    const requestId = randomUUID()
    ctx.state.requestId = requestId
    ctx.state.log = log.child({ requestId })
    ctx.state.caller = null
    ctx.set("X-Request-Id", requestId)
    try {
      await next()
    } catch (error) {
      const problem = toProblem(error)
      if (problem.status >= 500) ctx.state.log.error({ err: error, id: problem.id }, "request failed")
      if (problem.retryAfter) ctx.set("Retry-After", String(problem.retryAfter))
      showProblem(ctx, problem)
    }
    const seconds = (performance.now() - begun) / 1000
    const route = (ctx as { _matchedRoute?: unknown })._matchedRoute
    metrics.requests.observe(
      { method: ctx.method, route: typeof route === "string" ? route : "other", status: String(ctx.status) },
      seconds,
    )
    // Of the address only the path: a query may hold a ticket or a code.
    const caller = ctx.state.caller as Caller | null
    ctx.state.log.info(
      {
        ...{ method: ctx.method, path: ctx.path, status: ctx.status, ms: Math.round(seconds * 1000) },
        ...(caller ? { user: caller.user.id } : {}),
      },
      "request",
    )
  }
}
