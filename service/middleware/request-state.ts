import type { DefaultContext, ParameterizedContext } from "koa"
import type { Logger } from "pino"
import type { ApiToken, Scope } from "../api-tokens/api-tokens.ts"
import type { Login } from "../logins/logins.ts"
import type { User } from "../users/users.ts"
import type { AuditFacts } from "./audited.ts"

/** Who asks, and how they proved it. */
export interface Caller {
  user: User
  /** A login of a browser, or null for a token of a script. */
  login: Login | null
  scope: Scope
  /** The token of a script, without its secret; null for a login. */
  token: Pick<ApiToken, "id" | "name"> | null
}

/** What middleware leaves for handlers. */
export interface RequestState {
  requestId: string
  log: Logger
  /** Null for strangers. */
  caller: Caller | null
  /** What the route says of itself for the audit log. */
  audit?: AuditFacts
}

export type Context = ParameterizedContext<RequestState, DefaultContext>
