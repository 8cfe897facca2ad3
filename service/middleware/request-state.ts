import type { DefaultContext, ParameterizedContext } from "koa"
import type { Logger } from "pino"
import type { Scope } from "../api-tokens/api-tokens.ts"
import type { Login } from "../logins/logins.ts"
import type { User } from "../users/users.ts"

/** Who asks, and how they proved it. */
export interface Caller {
  user: User
  /** A login of a browser, or null for a token of a script. */
  login: Login | null
  scope: Scope
}

/** What middleware leaves for handlers. */
export interface RequestState {
  requestId: string
  log: Logger
  /** Null for strangers. */
  caller: Caller | null
}

export type Context = ParameterizedContext<RequestState, DefaultContext>
