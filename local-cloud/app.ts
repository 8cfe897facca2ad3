import { createHash, timingSafeEqual } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import Koa, { type Context as KoaContext, type Middleware } from "koa"
import Router from "koa-router"
import { ROUTES } from "./api/index.ts"
import { toCall } from "./api/request.ts"
import type { Context } from "./context.ts"
import { ApiError } from "./errors.ts"
import type { Faults } from "./faults.ts"
import { frontPage } from "./front-page.ts"
import { createRateLimit } from "./rate-limit.ts"

/** Longest request body, bytes: user-data is 32 KiB and everything else is small. */
const MAX_BODY = 256 * 1024
/**
 * An answer waits so long for the work it tells of. Who hears that it goes on asks again after half a second, then after
 * one: a machine that is there after 0.6 s would be known of after 1.5.
 */
const SOON_MS = 1_000

export interface ApiApp {
  app: Koa
  /** Requests so far by method and route, such as `GET /v1/servers/:id`. */
  requests: Map<string, number>
}

/** The API: authenticate, count against the limit, let faults strike, carry out in one transaction, answer. */
export function createApi(context: Context, faults: Faults): ApiApp {
  const requests = new Map<string, number>()
  const router = new Router({ prefix: "/v1" })
  for (const route of ROUTES) {
    router.register(
      route.path,
      [route.method],
      [
        async koa => {
          const { fault } = koa.state as { fault: { kind: string } | null }
          const call = toCall(koa, fault?.kind === "fail_action")
          await route.prepare?.(context, call)
          const reply = context.store.transaction(() => route.handle(context, call))
          const done = context.actions.kick()
          // Instantaneous machines have done their work before the answer says how far it is; others may have.
          if (context.config.actionDelayMs === 0)
            await (context.machines.kind === "none" ? done : Promise.race([done, sleep(SOON_MS)]))
          koa.status = reply.status
          if (reply.body) koa.body = reply.body()
        },
      ],
    )
  }
  const app = new Koa()
  app.silent = true
  app.use(answerErrors(context))
  app.use(frontPage)
  app.use(authenticate(context))
  app.use(count(requests, router))
  app.use(limitRate(context))
  app.use(parseJson)
  app.use(letFaultsStrike(faults))
  app.use(router.routes() as Middleware)
  app.use(noSuchRoute)
  return { app, requests }
}

function answerErrors({ log }: Context): Middleware {
  return async (koa, next) => {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof ApiError)) log.error({ err: error, method: koa.method, path: koa.path }, "request failed")
      const known =
        error instanceof ApiError
          ? error
          : new ApiError(500, "server_error", "An internal error occurred; the local cloud's log has it")
      koa.status = known.status
      koa.body = { error: { code: known.code, message: known.message, details: known.details } }
    }
  }
}

function authenticate({ config }: Context): Middleware {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  const known = Object.entries(config.tokens).map(([token, project]) => ({ hash: digest(token), project }))
  return async (koa, next) => {
    const given = digest(/^Bearer (.+)$/.exec(koa.get("authorization"))?.[1] ?? "")
    const match = known.find(one => timingSafeEqual(one.hash, given))
    if (!match) throw new ApiError(401, "unauthorized", "unable to authenticate")
    koa.state.project = match.project
    await next()
  }
}

function limitRate({ config }: Context): Middleware {
  const limit = createRateLimit(config.requestsPerHour)
  return async (koa, next) => {
    const { ok, headers } = limit.take(koa.state.project as string)
    koa.set(headers)
    if (!ok)
      throw new ApiError(429, "rate_limit_exceeded", `limit of ${config.requestsPerHour} requests per hour reached`)
    await next()
  }
}

const parseJson: Middleware = async (koa, next) => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of koa.req) {
    length += (chunk as Buffer).length
    if (length > MAX_BODY) throw new ApiError(413, "invalid_input", "the request body is too large")
    chunks.push(chunk as Buffer)
  }
  try {
    koa.state.body = length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}
  } catch {
    throw new ApiError(400, "json_error", "the request body is not valid JSON")
  }
  await next()
}

function letFaultsStrike(faults: Faults): Middleware {
  return async (koa, next) => {
    const fault = faults.strike({ method: koa.method, path: koa.path, project: koa.state.project as string })
    koa.state.fault = fault
    if (fault?.kind === "delay") await sleep(fault.ms)
    if (fault?.kind === "drop_before") return hangUp(koa)
    if (fault?.kind === "hang") return void (await new Promise(resolve => koa.req.socket.once("close", resolve)))
    if (fault?.kind === "status") {
      koa.set(fault.headers)
      throw new ApiError(fault.status, fault.code, fault.message)
    }
    await next()
    if (fault?.kind === "drop_after") hangUp(koa)
  }
}

function hangUp(koa: KoaContext): void {
  koa.respond = false
  koa.req.socket.destroy()
}

/** Counts by route whatever becomes of the request, since a real provider's limit counts it too. */
function count(requests: Map<string, number>, router: Router): Middleware {
  return (koa, next) => {
    const [route] = router.match(koa.path, koa.method).pathAndMethod
    const name = `${koa.method} ${route?.path ?? koa.path}`
    requests.set(name, (requests.get(name) ?? 0) + 1)
    return next()
  }
}

const noSuchRoute: Middleware = koa => {
  if (koa.status === 404 && koa.body === undefined) throw new ApiError(404, "not_found", "no such route")
}
