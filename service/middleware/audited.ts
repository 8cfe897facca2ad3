import type { AuditEntry } from "../audit/entry.ts"
import { shortened } from "../audit/entry.ts"
import type { Services } from "../services.ts"
import type { User } from "../users/users.ts"
import type { Caller, Context } from "./request-state.ts"
import { toProblem } from "./requests.ts"

/** What a route knows of itself for the audit log; see `noteForAudit`. */
export interface AuditFacts {
  /** Id of the API's route; method and path where left out. */
  action?: string
  /** Who did it, where that is not the caller: somebody who is just signing in. */
  who?: User
  /** An operator's route. */
  operator?: boolean
  /** Does it look at what is somebody else's? Then reading is written down too. */
  reaches?: boolean
  /** Whose thing it is. */
  user?: string
  workspace?: string
  operation?: string
  /** Id of the error, where the answer is a page that says what could not be done. */
  error?: string
  input?: Record<string, unknown>
}

/** Adds to what the audit log will say of this request. */
export function noteForAudit(ctx: Context, facts: AuditFacts): void {
  ctx.state.audit = { ...ctx.state.audit, ...facts }
}

/**
 * Writes every change into the audit log, of the API and of pages, and whatever an operator reads of somebody else's.
 * What an ordinary user asked for in vain is no change; what was refused them is.
 */
export function audited({ audit, operators, now, log }: Pick<Services, "audit" | "operators" | "now" | "log">) {
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    ctx.state.audit = {}
    let problem: { status: number; id: string } | null = null
    try {
      await next()
    } catch (error) {
      problem = toProblem(error)
      throw error
    } finally {
      const entry = entryOf(ctx, problem, now())
      if (entry) {
        const record = isLook(ctx) && !ctx.state.audit?.who ? audit.recordLook : audit.record
        await record(entry).catch(error => {
          // What was done is done: the log is where it is kept now.
          log.error({ err: error, audit: entry }, "the audit log could not be written")
        })
      }
    }
  }

  function entryOf(
    ctx: Context,
    problem: { status: number; id: string } | null,
    at: number,
  ): Omit<AuditEntry, "id"> | null {
    const facts = ctx.state.audit ?? {}
    const caller = ctx.state.caller
    const user = facts.who ?? caller?.user
    if (!user) return null
    const changes = !isLook(ctx) || facts.who !== undefined
    const reaches = facts.reaches === true && facts.user !== user.id
    if (!changes && !reaches) return null
    const status = problem?.status ?? ctx.status
    const isOperators = facts.operator === true || (reaches && operators.has(user))
    // Whoever may ask as often as they like must not fill the disk with what was not done.
    if (status >= 400 && status !== 403 && !isOperators) return null
    const route = (ctx as { _matchedRoute?: unknown })._matchedRoute
    const location = String(ctx.response.get("Location") ?? "")
    return {
      at,
      ...{ who: user.id, login: user.login, as: isOperators && operators.has(user) ? "operator" : "user" },
      ...{ by: meansOf(caller), from: ctx.ip || null },
      action: facts.action ?? `${ctx.method} ${typeof route === "string" ? route : ctx.path.slice(0, 100)}`,
      user: facts.user === undefined || facts.user === user.id ? null : facts.user,
      workspace:
        facts.workspace ?? /^\/(?:api\/v1\/)?(?:operator\/)?workspaces\/([a-z0-9-]+)/.exec(ctx.path)?.[1] ?? null,
      operation: facts.operation ?? /\/operations\/([0-9a-f-]{36})/.exec(location)?.[1] ?? null,
      input: shortened(facts.input ?? {}) as Record<string, unknown>,
      ...{ ok: status < 400, status, error: problem?.id ?? facts.error ?? null, request: ctx.state.requestId },
    }
  }
}

const isLook = ({ method }: Context) => ["GET", "HEAD", "OPTIONS"].includes(method)

const meansOf = (caller: Caller | null): string => (caller?.token ? `token ${caller.token.name}` : "login")
