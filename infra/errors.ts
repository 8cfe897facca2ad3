/** What a caller should do about an error: try again, give up and tell the user, or have an operator look first. */
export type NextAction = "retry" | "fail" | "investigate"

/**
 * Every error that leaves `infra/`. `message` is one sentence for people that says what is wrong and what to do;
 * `id` is stable and for programs; `detail` is for the operator's log and holds no secret.
 */
export class InfraError extends Error {
  override name = "InfraError"
  readonly id: string
  readonly next: NextAction
  readonly detail: string | undefined

  constructor(id: string, next: NextAction, message: string, detail?: string) {
    super(message)
    this.id = id
    this.next = next
    this.detail = detail
  }
}

/** An error as it crosses a process boundary. */
export interface ErrorValue {
  id: string
  next: NextAction
  message: string
  detail?: string
}

/** Any thrown value as an error value; what is not an InfraError is a fault of ours and needs a look. */
export function toErrorValue(error: unknown): ErrorValue {
  if (error instanceof InfraError) {
    const { id, next, message, detail } = error
    return detail === undefined ? { id, next, message } : { id, next, message, detail }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    id: "internal",
    next: "investigate",
    message: "Something unexpected went wrong; the operator's log has the details.",
    detail: text,
  }
}

/** The error a value describes. */
export function fromErrorValue(value: ErrorValue): InfraError {
  return new InfraError(value.id, value.next, value.message, value.detail)
}
