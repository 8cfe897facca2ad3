import type { Context } from "../context.ts"
import type { Call, Reply } from "./request.ts"

/** A route of the API. Handlers are synchronous: each runs in one transaction, and what takes time is an action. */
export interface Route {
  method: "GET" | "POST" | "PUT" | "DELETE"
  path: string
  /** What has to be asked before the transaction, since it takes time; refuses by throwing. */
  prepare?(context: Context, call: Call): Promise<void>
  handle(context: Context, call: Call): Reply
}
