/** An error as Scaleway's APIs answer it: a type, a message, and what the type brings. */
export class ScalewayRefusal extends Error {
  readonly status: number
  readonly type: string
  readonly more: Record<string, unknown>

  constructor(status: number, type: string, message: string, more: Record<string, unknown> = {}) {
    super(message)
    this.status = status
    this.type = type
    this.more = more
  }

  body() {
    return { type: this.type, message: this.message, ...this.more }
  }
}

export const notFound = (resource: string, id: string) =>
  new ScalewayRefusal(404, "not_found", "resource is not found", { resource, resource_id: id })

export const denied = () =>
  new ScalewayRefusal(401, "denied_authentication", "Denied authentication", { method: "api_key", reason: "not_found" })

export const invalid = (argument: string, help: string) =>
  new ScalewayRefusal(400, "invalid_arguments", "invalid argument(s)", {
    details: [{ argument_name: argument, reason: "constraint", help_message: help }],
  })

export const moving = (resource: string, id: string, state: string) =>
  new ScalewayRefusal(409, "transient_state", "resource is in a transient state", {
    ...{ resource, resource_id: id },
    current_state: state,
  })

export const unmet = (precondition: string, help: string) =>
  new ScalewayRefusal(412, "precondition_failed", "precondition is not respected", { precondition, help_message: help })

export const quotaExceeded = (resource: string, quota: number, current: number) =>
  new ScalewayRefusal(403, "quotas_exceeded", "quota(s) exceeded for this resource", {
    details: [{ resource, quota, current }],
  })

export const outOfStock = (resource: string) =>
  new ScalewayRefusal(412, "out_of_stock", "resource is out of stock", { resource })
