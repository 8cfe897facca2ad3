import bodyParser from "@koa/bodyparser"
import type { Context as KoaContext } from "koa"
import Router from "koa-router"
import type { z } from "zod"
import { ServiceError } from "../../errors.ts"
import { noteForAudit } from "../../middleware/audited.ts"
import { requireCaller } from "../../middleware/caller.ts"
import type { Caller, Context } from "../../middleware/request-state.ts"
import type { Operators } from "../../operators/operators.ts"
import { inTraceOf } from "../../traces/asker.ts"
import type { ApiRoute } from "./define.ts"

/** Largest body that is taken: the secrets of a new workspace fit. */
const BODY_LIMIT = "1mb"

/** Turns definitions into a router: who asks, then what they sent, then the handler. */
export function mountApi(routes: ApiRoute[], operators: Operators): Router {
  const router = new Router({ prefix: "/api/v1" })
  const parse = bodyParser({
    enableTypes: ["json"],
    jsonLimit: BODY_LIMIT,
    onError: (error: Error & { status?: number }) => {
      if (error.status === 413) throw new ServiceError("too-long", 413, `The body may have at most ${BODY_LIMIT}.`)
      throw new ServiceError("invalid-json", 400, "The body is no JSON.")
    },
  })
  for (const given of routes) {
    router[given.method](given.path.replaceAll(/\{(\w+)\}/g, ":$1"), async koa => {
      const ctx = koa as unknown as Context & KoaContext
      noteForAudit(ctx, { action: given.id, ...(given.forOperators ? { operator: true } : {}) })
      if (given.forOperators) operators.require(requireCaller(ctx).user)
      const caller = callerOf(ctx, given)
      if (given.body) {
        if (ctx.is("json") === false) throw new ServiceError("not-json", 415, "Send the body as application/json.")
        await parse(koa, async () => {})
      } else if (ctx.is("json")) {
        // A wish that is not heard, such as for the way in which a workspace stops, would cost whoever had it.
        await parse(koa, async () => {})
        if (Object.keys(koa.request.body ?? {}).length > 0) throw takesNoBody(given)
      }
      const sent = {
        params: check(given.params, koa.params, "path"),
        query: check(given.query, { ...koa.query }, "query"),
        headers: check(given.headers, pickHeaders(koa, given.headers), "headers"),
        body: check(given.body, koa.request.body ?? null, "body"),
      }
      noteForAudit(ctx, { input: inputOf(given, sent), ...(reaches(given) ? { reaches: true } : {}) })
      const handle = async () => given.handle({ caller: caller as Caller, ...sent, ctx })
      const reply = await inTraceOf(ctx.get("traceparent"), handle)
      // What is made has its name only now.
      const made = (reply.body as { workspace?: { id?: string } } | undefined)?.workspace?.id
      if (typeof made === "string") noteForAudit(ctx, { workspace: made })
      ctx.set({ "Cache-Control": "no-store", ...reply.headers })
      const described = given.replies[reply.status]
      // Where an answer may be JSON too, the handler says which it is.
      const type = reply.type ?? (described?.schema ? undefined : described?.type)
      if (type) ctx.type = type
      ctx.body = reply.body ?? null
      // After the body: Koa makes a 204 of an empty one by itself, and a 200 of any other.
      ctx.status = reply.status
    })
  }
  return router
}

const callerOf = (ctx: Context, { scope, forOperators }: ApiRoute) =>
  scope === null ? ctx.state.caller : requireCaller(ctx, forOperators ? "operate" : scope)

function takesNoBody({ query }: ApiRoute): ServiceError {
  const names = Object.keys(query?.shape ?? {}).map(name => `\`${name}\``)
  const instead =
    names.length > 0 ? ` What it takes stands in the address, behind a question mark: ${names.join(", ")}.` : ""
  return new ServiceError("invalid-request", 422, `This takes no body.${instead}`)
}

/** Does it lead to one thing of somebody's? */
const reaches = ({ forOperators, params }: ApiRoute) => Boolean(forOperators && params)

/** What the audit log keeps of what was sent. */
function inputOf(
  { forOperators, told = [] }: ApiRoute,
  { params, query, body }: { params: object; query: object; body: unknown },
): Record<string, unknown> {
  const fields = Object.entries((body ?? {}) as object)
  const kept = forOperators ? fields : fields.filter(([name]) => told.includes(name))
  return { ...params, ...query, ...Object.fromEntries(kept) }
}

function pickHeaders(ctx: KoaContext, schema: z.ZodObject | undefined): Record<string, string> {
  const names = Object.keys(schema?.shape ?? {})
  return Object.fromEntries(names.flatMap(name => (ctx.headers[name] === undefined ? [] : [[name, ctx.get(name)]])))
}

/** @throws ServiceError `invalid-request` that names every wrong field */
// biome-ignore lint/suspicious/noExplicitAny: the definition's own types hold where it is used
function check(schema: z.ZodType | undefined, given: unknown, where: string): any {
  if (!schema) return {}
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => `${issue.path.join(".") || where}: ${issue.message}`)
  throw new ServiceError("invalid-request", 422, `The ${where} is not valid: ${problems.join("; ")}.`)
}
