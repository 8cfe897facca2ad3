import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import type { Secret } from "../secret.ts"
import type { Heard, RequestBudget } from "./heard.ts"

/** Where Hetzner's API is unless `HCLOUD_ENDPOINT` says otherwise; the same variable as Hetzner's own tools read. */
export const HETZNER_ENDPOINT = "https://api.hetzner.cloud/v1"

export interface HetznerApiConfig {
  endpoint: string
  token: Secret
  /** Longest time one request may take, milliseconds. */
  timeoutMs?: number
  /** Longest time a call may wait for the request limit to refill, milliseconds. */
  patienceMs?: number
  /** The first pause before a request is repeated, and between two looks at a running action; Hetzner's own clients: 500. */
  pauseMs?: number
  /** Hears of each request's end, however it was. */
  heard?: (heard: Heard) => void
}

export interface HetznerApi {
  /** Null when no answer has come yet. */
  budget(): RequestBudget | null
  request<T>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    answer: z.ZodType<T>,
    options?: { body?: unknown; signal?: AbortSignal | undefined },
  ): Promise<T>
  /** All pages of a list; `key` is the list's name in the answer. */
  list<T>(path: string, key: string, item: z.ZodType<T>, options?: { signal?: AbortSignal | undefined }): Promise<T[]>
  /** Waits for an action to end. @throws InfraError `provider-action-failed` when it ends in an error */
  waitForAction(action: Action, options?: { signal?: AbortSignal | undefined }): Promise<void>
}

export const Action = z.object({
  id: z.number(),
  command: z.string(),
  status: z.enum(["running", "success", "error"]),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
})
export type Action = z.output<typeof Action>

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

const PAUSE_MS = 500
/** Attempts of a request that can be repeated without harm. */
const ATTEMPTS = 4

/** A client that honours the request limit, repeats only what is safe to repeat, and speaks in InfraErrors. */
export function createHetznerApi(config: HetznerApiConfig): HetznerApi {
  const timeoutMs = config.timeoutMs ?? 30_000
  const patienceMs = config.patienceMs ?? 120_000
  const pauseMs = config.pauseMs ?? PAUSE_MS
  let budget: RequestBudget | null = null

  async function once(method: string, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const limits = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]
    try {
      const response = await fetch(`${config.endpoint}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${config.token.reveal()}`,
          ...(body ? { "content-type": "application/json" } : {}),
        },
        signal: AbortSignal.any(limits),
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const told = readBudget(response.headers)
      budget = told ?? budget
      config.heard?.({ isFault: response.status >= 500 || response.status === 429, budget: told })
      return response
    } catch (error) {
      signal?.throwIfAborted()
      config.heard?.({ isFault: true, budget: null })
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new InfraError(
        "provider-unreachable",
        "retry",
        `The provider's API at ${config.endpoint} could not be reached or did not answer: check HCLOUD_ENDPOINT and the network (\`foozol-cloud local status\` for the local cloud), then try again.`,
        cause,
      )
    }
  }

  const api: HetznerApi = {
    budget: () => budget,

    async request(method, path, answer, options = {}) {
      const deadline = Date.now() + patienceMs
      for (let attempt = 1; ; attempt++) {
        // Without an answer nobody knows whether a POST was carried out, so only the others are repeated.
        const repeatable = method !== "POST" && attempt < ATTEMPTS
        let failure: InfraError
        let waitMs = backoff(attempt, pauseMs)
        try {
          const response = await once(method, path, options.body, options.signal)
          const text = await response.text()
          if (response.ok) return answer.parse(text ? JSON.parse(text) : {})
          failure = toError(response.status, text, method, path)
          if (response.status === 429) {
            waitMs = limitWait(response.headers, attempt, pauseMs)
            // A request over the limit was not carried out: safe to repeat whatever it was.
            if (Date.now() + waitMs > deadline) throw failure
          } else if (!(response.status >= 500 && repeatable)) throw failure
        } catch (error) {
          if (!(error instanceof InfraError) || error.id !== "provider-unreachable" || !repeatable) throw error
          failure = error
        }
        await sleep(waitMs, undefined, options.signal ? { signal: options.signal } : {})
      }
    },

    async list(path, key, item, options = {}) {
      const page = z.object({
        [key]: z.array(item),
        meta: z.object({ pagination: z.object({ next_page: z.number().nullable() }) }),
      })
      const all: z.output<typeof item>[] = []
      for (let next: number | null = 1; next !== null; ) {
        const separator = path.includes("?") ? "&" : "?"
        const answer: Record<string, unknown> = await api.request(
          "GET",
          `${path}${separator}page=${next}&per_page=50`,
          page,
          options,
        )
        all.push(...(answer[key] as typeof all))
        next = (answer.meta as { pagination: { next_page: number | null } }).pagination.next_page
      }
      return all
    },

    async waitForAction(action, options = {}) {
      let current = action
      while (current.status === "running") {
        await sleep(pauseMs, undefined, options.signal ? { signal: options.signal } : {})
        current = (await api.request("GET", `/actions/${action.id}`, z.object({ action: Action }), options)).action
      }
      if (current.status === "error") {
        const why = current.error ? `${current.error.message} (${current.error.code})` : "no reason given"
        throw new InfraError(
          "provider-action-failed",
          "retry",
          `The provider could not carry out "${action.command}": ${why}; try again.`,
        )
      }
    },
  }
  return api
}

/** Milliseconds to wait after a 429: what the provider says, else growing steps; a little jitter parts the herd. */
function limitWait(headers: Headers, attempt: number, pauseMs: number): number {
  const after = Number(headers.get("retry-after"))
  if (headers.has("retry-after") && Number.isFinite(after)) return after * 1_000 + Math.random() * 250
  // RateLimit-Reset says when the whole budget is back; one request is back within a second, so do not wait for all.
  return backoff(attempt, pauseMs)
}

const backoff = (attempt: number, pauseMs: number) =>
  Math.min(pauseMs * 2 ** (attempt - 1), 15_000) * (0.75 + Math.random() / 2)

function readBudget(headers: Headers): RequestBudget | null {
  const number = (name: string) => (headers.has(name) ? Number(headers.get(name)) : Number.NaN)
  const [limit, remaining, reset] = [
    number("ratelimit-limit"),
    number("ratelimit-remaining"),
    number("ratelimit-reset"),
  ]
  return [limit, remaining, reset].every(Number.isFinite)
    ? { limit, remaining, resetAt: new Date(reset * 1_000) }
    : null
}

const BY_CODE: Record<string, [string, "retry" | "fail" | "investigate", string]> = {
  unauthorized: [
    "provider-unauthorized",
    "fail",
    "The provider refused the API token: set HCLOUD_TOKEN to a valid read-and-write token of the project.",
  ],
  forbidden: [
    "provider-unauthorized",
    "fail",
    "The API token may not do this: set HCLOUD_TOKEN to a read-and-write token of the project.",
  ],
  token_readonly: [
    "provider-unauthorized",
    "fail",
    "The API token may only read: set HCLOUD_TOKEN to a read-and-write token of the project.",
  ],
  rate_limit_exceeded: [
    "provider-rate-limited",
    "retry",
    "The provider's request limit is used up for now: try again in a few minutes.",
  ],
  not_found: ["provider-not-found", "fail", "The provider does not have what was asked for."],
  locked: [
    "provider-busy",
    "retry",
    "The provider is still busy with an earlier action on this machine: try again in a moment.",
  ],
  conflict: [
    "provider-busy",
    "retry",
    "The provider reports that the machine changed meanwhile: try again in a moment.",
  ],
  protected: ["protected", "fail", "The machine is protected from deletion: lift the protection first."],
  uniqueness_error: ["name-taken", "investigate", "The provider already has a resource of this name."],
  resource_unavailable: [
    "provider-no-capacity",
    "retry",
    "The provider has no room for this machine type at this location now: choose another size or region, or try again later.",
  ],
  placement_error: [
    "provider-no-capacity",
    "retry",
    "The provider has no room for this machine type at this location now: choose another size or region, or try again later.",
  ],
  resource_limit_exceeded: [
    "provider-limit",
    "fail",
    "The provider project's limit for this kind of resource is reached: remove some, or have the limit raised.",
  ],
}

function toError(status: number, text: string, method: string, path: string): InfraError {
  const body = ErrorBody.safeParse(parseJson(text))
  const detail = `${method} ${path.split("?")[0]} answered ${status}: ${body.success ? `${body.data.error.code}: ${body.data.error.message}` : text.slice(0, 300)}`
  const known = body.success ? BY_CODE[body.data.error.code] : undefined
  if (known) return new InfraError(known[0], known[1], known[2], detail)
  if (status === 429)
    return new InfraError(
      "provider-rate-limited",
      "retry",
      "The provider's request limit is used up for now: try again in a few minutes.",
      detail,
    )
  if (status >= 500)
    return new InfraError("provider-failed", "retry", "The provider's API failed: try again in a few minutes.", detail)
  return new InfraError(
    "provider-refused",
    "investigate",
    `The provider refused the request: ${body.success ? body.data.error.message : `HTTP status ${status}`}.`,
    detail,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
