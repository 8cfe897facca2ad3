/** The local cloud cannot start; the message is one sentence that says what is wrong and what to do. */
export class StartError extends Error {
  override name = "StartError"
}

/** An answer in Hetzner's error format. */
export class ApiError extends Error {
  override name = "ApiError"
  readonly status: number
  readonly code: string
  readonly details: object | null

  constructor(status: number, code: string, message: string, details: object | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

// The errors Hetzner's description names, with the HTTP status its API answers them with.
export const notFound = (kind: string, id: number | string) =>
  new ApiError(404, "not_found", `${kind} with ID '${id}' not found`)
export const locked = (kind: string) =>
  new ApiError(423, "locked", `${kind} is locked because another action is running`)
export const conflict = (message: string) => new ApiError(409, "conflict", message)
export const notUnique = (what: string) => new ApiError(409, "uniqueness_error", `${what} is already used`)
export const isProtected = (kind: string) => new ApiError(423, "protected", `${kind} is delete protected`)
export const inUse = (kind: string) => new ApiError(422, "resource_in_use", `${kind} is still in use`)
export const unsupported = (message: string) => new ApiError(422, "unsupported_error", message)
export const unavailable = (message: string) => new ApiError(422, "resource_unavailable", message)

/** 422 `invalid_input` naming each wrong field. */
export function invalidInput(fields: { name: string; messages: string[] }[]): ApiError {
  const named = fields.map(field => `'${field.name}': ${field.messages.join(", ")}`).join("; ")
  return new ApiError(422, "invalid_input", `invalid input in field${fields.length === 1 ? "" : "s"} ${named}`, {
    fields,
  })
}
