import type { NextAction } from "../infra/errors.ts"

/**
 * An error a user or a program gets to see. `message` is one sentence that says what is wrong and what to do, `id`
 * is stable, `status` the HTTP status. Nothing secret and nothing of the inside is in it.
 */
export class ServiceError extends Error {
  override name = "ServiceError"
  readonly id: string
  readonly status: number
  readonly next: NextAction
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined
  readonly expose = true

  constructor(id: string, status: number, message: string, more: { next?: NextAction; retryAfter?: number } = {}) {
    super(message)
    this.id = id
    this.status = status
    this.next = more.next ?? "fail"
    this.retryAfter = more.retryAfter
  }
}

export const notFound = (what: string) =>
  new ServiceError("not-found", 404, `There is no such ${what}, or it is not yours.`)

export const forbidden = (message: string) => new ServiceError("forbidden", 403, message)

export const signedOut = () => new ServiceError("signed-out", 401, "Sign in first, or send a token of yours as bearer.")
