import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import { scalewayError } from "../scaleway-errors.ts"
import type { Secret } from "../secret.ts"

/** Where Scaleway's API is. */
export const SCALEWAY_ENDPOINT = "https://api.scaleway.com"

/** A project of Scaleway, and how to work on it. */
export interface ScalewayProject {
  /** Its UUID. */
  project: string
  /** Zones in which machines are offered, such as `fr-par-1`. */
  zones: readonly string[]
  /** Of an API key. */
  secretKey: Secret
  /** What an IPv4 address costs by the hour, in the currency of everything else: no API of Scaleway's says that. */
  ipv4Hourly: number
  endpoint?: string
  /** Longest time one request may take, milliseconds. */
  timeoutMs?: number
  /** First pause before a request is repeated, and between two looks at what is changing, milliseconds. */
  pauseMs?: number
}

type Call = { signal?: AbortSignal | undefined }

export interface ScalewayApi {
  project: ScalewayProject
  /** One request. Tried again where that does no harm. @throws InfraError */
  request<T>(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    answer: z.ZodType<T>,
    options?: Call & { body?: unknown; text?: string },
  ): Promise<T>
  /** All pages of a list; `key` is the list's name in the answer. A list of named things is one of pairs. */
  list<T>(path: string, key: string, item: z.ZodType<T>, options?: Call): Promise<T[]>
  named<T>(path: string, key: string, item: z.ZodType<T>, options?: Call): Promise<[string, T][]>
  /** Looks again and again, with longer and longer pauses, until `look` answers something else than undefined. */
  until<T>(look: () => Promise<T | undefined>, options?: Call): Promise<T>
}

const TIMEOUT_MS = 30_000
const PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8_000
/** Attempts of a request that can be repeated without harm. */
const ATTEMPTS = 4
/** As many as each of Scaleway's lists gives at once. */
const PAGE = 50

const ErrorBody = z.looseObject({ type: z.string().optional(), message: z.string().optional() })
const Total = z.looseObject({ total_count: z.number().optional() })

/** Scaleway's API over HTTP. */
export function createScalewayApi(project: ScalewayProject): ScalewayApi {
  const endpoint = project.endpoint ?? SCALEWAY_ENDPOINT
  const pause = (step: number) =>
    Math.min((project.pauseMs ?? PAUSE_MS) * 1.6 ** step, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2)
  const wait = (ms: number, signal: AbortSignal | undefined) => sleep(ms, undefined, signal ? { signal } : {})

  async function once(method: string, path: string, sent: { body?: unknown; text?: string }, signal?: AbortSignal) {
    const limits = [AbortSignal.timeout(project.timeoutMs ?? TIMEOUT_MS), ...(signal ? [signal] : [])]
    const type = sent.text === undefined ? "application/json" : "text/plain"
    const body = sent.text ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
    try {
      const response = await fetch(`${endpoint}${path}`, {
        method,
        headers: {
          "x-auth-token": project.secretKey.reveal(),
          ...(body === undefined ? {} : { "content-type": type }),
        },
        signal: AbortSignal.any(limits),
        ...(body === undefined ? {} : { body }),
      })
      return { response, answer: await response.text() }
    } catch (error) {
      signal?.throwIfAborted()
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new InfraError(
        "provider-unreachable",
        "retry",
        `Scaleway's API at ${endpoint} could not be reached or did not answer: check the network, then try again.`,
        cause,
      )
    }
  }

  async function exchange(
    method: string,
    path: string,
    { signal, ...sent }: Call & { body?: unknown; text?: string },
  ): Promise<{ headers: Headers; value: unknown }> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      // Without an answer nobody knows whether a POST was carried out. One over the limit was not.
      const isHarmless = (error: InfraError) =>
        error.id === "provider-rate-limited" ||
        (method !== "POST" && (error.id === "provider-unreachable" || error.id === "provider-failed"))
      try {
        const { response, answer } = await once(method, path, sent, signal)
        if (response.ok) return { headers: response.headers, value: answer ? parsed(answer) : {} }
        throw refusal(response.status, answer, method, path)
      } catch (error) {
        if (!(error instanceof InfraError) || !isHarmless(error) || attempt === ATTEMPTS) throw error
      }
      await wait(pause(attempt), signal)
    }
  }

  async function pages<T>(path: string, answer: z.ZodType<T>, size: (page: T) => number, call: Call): Promise<T[]> {
    // The services of Scaleway do not agree on a name for the size of a page.
    const name = path.startsWith("/instance/") ? "per_page" : "page_size"
    const all: T[] = []
    for (let page = 1, seen = 0; ; page++) {
      const query = `${path.includes("?") ? "&" : "?"}page=${page}&${name}=${PAGE}`
      const { headers, value } = await exchange("GET", `${path}${query}`, call)
      const one = answer.parse(value)
      all.push(one)
      seen += size(one)
      const told = Total.safeParse(value).data?.total_count ?? Number(headers.get("x-total-count") ?? Number.NaN)
      if (size(one) === 0 || (Number.isFinite(told) ? seen >= told : size(one) < PAGE)) return all
    }
  }

  return {
    project,
    request: async (method, path, answer, options = {}) => answer.parse((await exchange(method, path, options)).value),
    async list(path, key, item, call = {}) {
      const answer = z.looseObject({ [key]: z.array(item) }).transform(page => page[key] as z.output<typeof item>[])
      return (await pages(path, answer, page => page.length, call)).flat()
    },
    async named(path, key, item, call = {}) {
      const answer = z
        .looseObject({ [key]: z.record(z.string(), item) })
        .transform(page => Object.entries(page[key] as Record<string, z.output<typeof item>>))
      return (await pages(path, answer, page => page.length, call)).flat()
    },
    async until(look, { signal } = {}) {
      for (let looks = 0; ; looks++) {
        const seen = await look()
        if (seen !== undefined) return seen
        await wait(pause(looks), signal)
      }
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function refusal(status: number, text: string, method: string, path: string): InfraError {
  const body = ErrorBody.safeParse(parsed(text)).data ?? {}
  const said = `${method} ${path.split("?")[0]}: http error ${status}, ${text.slice(0, 1_000)}`
  return (
    scalewayError(`${body.type ?? ""}: ${body.message ?? ""} ${said}`) ??
    new InfraError(
      "provider-refused",
      "investigate",
      `Scaleway refused the request: ${body.message ?? `HTTP status ${status}`}.`,
      said,
    )
  )
}

/** An answer that nobody reads. */
export const Anything = z.unknown()
