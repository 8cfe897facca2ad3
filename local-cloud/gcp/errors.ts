/** An error as Google's APIs answer it. */
export class GoogleRefusal extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }

  body() {
    const { status: code, reason, message } = this
    return { error: { code, message, errors: [{ message, domain: "global", reason }] } }
  }
}

export const notFound = (path: string) => new GoogleRefusal(404, "notFound", `The resource '${path}' was not found`)
export const alreadyExists = (path: string) =>
  new GoogleRefusal(409, "alreadyExists", `The resource '${path}' already exists`)
export const invalid = (message: string) => new GoogleRefusal(400, "invalid", message)
export const inUse = (path: string, by: string) =>
  new GoogleRefusal(
    400,
    "resourceInUseByAnotherResource",
    `The ${path.split("/").at(-2)} resource '${path}' is already being used by '${by}'`,
  )

/** What a failed operation says. */
export interface OperationError {
  code: string
  message: string
}
