import { type ErrorValue, InfraError, type NextAction } from "../infra/errors.ts"

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

/** Reads what somebody has entered. @throws ServiceError with what the reader found wrong with it */
export function readEntered<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof InfraError ? new ServiceError(error.id, 422, error.message) : error
  }
}

/** Errors of the engine and the provider that say something to the owner of a workspace as they are. */
const OWNERS = ["provider-no-capacity", "provider-failed", "provider-rate-limited", "shutting-down"]

/**
 * An error of a cloud as the owner of a workspace is told it: what only the operator can mend names commands, settings
 * and parts that are none of the owner's; the log has those words.
 */
export function forOwner({ id, next, message }: ErrorValue): Pick<ErrorValue, "id" | "next" | "message"> {
  if (OWNERS.includes(id) || id.startsWith("machine-") || id === "internal") return { id, next, message }
  const hope = next === "retry" ? "Try again in a few minutes" : "Try again"
  return { id, next, message: `The cloud behind this service had a fault (${id}). ${hope}, or ask the operator.` }
}
