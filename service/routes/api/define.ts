import type { z } from "zod"
import type { Scope } from "../../api-tokens/api-tokens.ts"
import type { Caller, Context } from "../../middleware/request-state.ts"

type Shape = z.ZodObject

/** What a handler of the API is given: who asks, and input that has been checked. */
export interface Call<P, Q, H, B> {
  caller: Caller
  params: P
  query: Q
  headers: H
  body: B
  ctx: Context
}

/** What a handler answers. `type` where the description names one beside JSON, and this answer has it. */
export type Reply = { status: number; body?: unknown; headers?: Record<string, string>; type?: string }

/** One route of the API: description and behaviour in one place, so that they cannot differ. */
export interface ApiRoute<
  P extends Shape = Shape,
  Q extends Shape = Shape,
  H extends Shape = Shape,
  B extends z.ZodType = z.ZodType,
> {
  id: string
  method: "get" | "post" | "put" | "patch" | "delete"
  /** With `{name}` for parameters, below /api/v1. */
  path: string
  tag: string
  summary: string
  description?: string
  /** What a token must be allowed; null for everybody, signed in or not. */
  scope: Scope | null
  /**
   * Only for operators, by a login or a token of the scope `operate`; whoever else asks is refused before what they sent is
   * looked at. What they do here, and what they read of others by the route's parameters, is in the audit log.
   */
  forOperators?: true
  /** Fields of the body that the audit log keeps, for it may hold secrets; of operators' routes all are kept. */
  told?: readonly string[]
  params?: P
  query?: Q
  headers?: H
  body?: B
  /** Answers that are no errors. */
  replies: Record<number, { description: string; schema?: z.ZodType; type?: string; headers?: Shape }>
  /** Statuses of errors besides those that every route may have. */
  errors?: number[]
  handle(call: Call<z.output<P>, z.output<Q>, z.output<H>, z.output<B>>): Promise<Reply>
}

/** Keeps the types of a route's input together. */
export const route = <P extends Shape, Q extends Shape, H extends Shape, B extends z.ZodType>(
  given: ApiRoute<P, Q, H, B>,
): ApiRoute => given as unknown as ApiRoute
