import type { Command } from "commander"
import type { z } from "zod"
import { InfraError } from "../infra/errors.ts"
import { isLoopback } from "../service/config/addresses.ts"
import { ProblemSchema } from "../service/routes/api/schemas.ts"

/** Milliseconds an answer may take. */
const PATIENCE_MS = 60_000

/** What a call sends besides its path. */
export interface Sent {
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The service's API, as one user by their token. */
export interface Api {
  /** Where its pages are. */
  site: string
  /**
   * One call.
   * @param path below /api/v1
   * @throws InfraError with the id and the sentence of the service's problem, or `service-away`
   */
  call<T extends z.ZodType>(method: string, path: string, schema: T, sent?: Sent): Promise<z.output<T>>
  /** One call whose answer is a stream, or nothing. */
  raw(method: string, path: string, sent?: Sent): Promise<Response>
}

export interface ApiOptions {
  url?: string
}

/** Gives a command the option that says which service is meant. */
export const withUrl = (command: Command) =>
  command.option("--url <url>", "address of the service (default: FOOZOL_API_URL)")

/**
 * The API that the environment names: `FOOZOL_API_URL` (or `--url`) and `FOOZOL_API_TOKEN`. The token is never an
 * argument: everybody on a machine may read those.
 * @throws InfraError `no-url`, `bad-url` or `no-token`, saying what to do
 */
export function openApi(options: ApiOptions, env: NodeJS.ProcessEnv = process.env): Api {
  const site = siteOf(options.url || env.FOOZOL_API_URL)
  const token = env.FOOZOL_API_TOKEN
  if (!token) {
    throw new InfraError(
      "no-token",
      "fail",
      `Set FOOZOL_API_TOKEN to a token of yours: the first one is made at ${site}/account.`,
    )
  }
  // Anything else would be no header; what it is, the service says.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new InfraError("no-token", "fail", "FOOZOL_API_TOKEN holds something that cannot be a token.")
  }

  async function raw(method: string, path: string, { body, headers = {}, signal }: Sent = {}): Promise<Response> {
    const answer = await fetch(`${site}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The token is for this address and no other.
      redirect: "manual",
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
    }).catch(error => {
      throw unreachable(site, error)
    })
    if (answer.ok) return answer
    throw await problemOf(answer, site)
  }

  return {
    site,
    raw,
    async call(method, path, schema, sent) {
      const answer = await raw(method, path, sent)
      const parsed = schema.safeParse(await answer.json().catch(() => null))
      if (parsed.success) return parsed.data
      throw notTheApi(site, parsed.error.message)
    },
  }
}

function siteOf(given: string | undefined): string {
  if (!given) {
    throw new InfraError(
      "no-url",
      "fail",
      "Which service? Set FOOZOL_API_URL to its address, such as https://cloud.example.com, or give --url.",
    )
  }
  const url = URL.canParse(given) ? new URL(given) : null
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InfraError("bad-url", "fail", `"${given}" is no http or https URL: give the address of the service.`)
  }
  if (url.protocol === "http:" && !isLoopback(url.href)) {
    throw new InfraError(
      "bad-url",
      "fail",
      `${url.origin} must be https: your token would go over the net in the clear.`,
    )
  }
  return url.origin
}

function unreachable(site: string, error: Error): InfraError {
  const { code, message = error.message } = (error.cause ?? {}) as { code?: string; message?: string }
  return new InfraError(
    "service-away",
    "retry",
    `The service at ${site} could not be reached: is the address right, and does it run?`,
    code ?? message,
  )
}

const notTheApi = (site: string, detail: string) =>
  new InfraError(
    "not-the-api",
    "fail",
    `What answers at ${site} is not this service, or another version of it.`,
    detail,
  )

async function problemOf(answer: Response, site: string): Promise<InfraError> {
  const text = await answer.text().catch(() => "")
  let given: unknown = null
  try {
    given = JSON.parse(text)
  } catch {
    // A proxy in front answers with pages.
  }
  const problem = ProblemSchema.safeParse(given)
  if (!problem.success) return notTheApi(site, `HTTP ${answer.status}`)
  const { id, next, detail, status, requestId } = problem.data
  return new InfraError(id, next, detail, `HTTP ${status}, request ${requestId}`)
}
