import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { google } from "@google-cloud/compute/build/protos/protos.js"
import { InfraError } from "../errors.ts"
import { googleError } from "../gcp-errors.ts"
import type { Market } from "../gcp-settings.ts"
import type { Secret } from "../secret.ts"
import { type GcpClients, loadClients, type Rest } from "./gcp-clients.ts"
import type { Heard } from "./heard.ts"

export type Operation = google.cloud.compute.v1.IOperation

/** A project of Google Cloud, and how to work on it. */
export interface GcpProject {
  /** Google's id of the project. */
  project: string
  /** Zones in which machines are offered, such as `us-central1-a`. */
  zones: readonly string[]
  /** As `gcloud auth print-access-token` prints it, good for an hour; null: Google's own search for credentials. */
  accessToken: Secret | null
  /** File with the key of a service account or the like, in the place of that search. */
  credentialsFile?: string
  /** How machines are bought, which prices are told of; on demand where nothing is said. */
  market?: Market
  /** Where Google is, where that is not at its own addresses: `http://127.0.0.1:PORT`. */
  endpoint?: string
  /** First pause before a request or a look is repeated, milliseconds. Each is longer than the one before. */
  pauseMs?: number
  /** Hears of each request's end, however it was. */
  heard?: (heard: Heard) => void
}

/** What an answer of the client library to a change is. */
type Begun = readonly [{ latestResponse?: unknown }, ...unknown[]]

export interface GcpApi {
  project: GcpProject
  /** One request that changes nothing. Tried again where Google was not reached or had too much to do. */
  ask<T>(request: (clients: GcpClients) => Promise<readonly [T, ...unknown[]]>, signal?: AbortSignal): Promise<T>
  /**
   * One change, and the wait for its end. Repeats of the request bear the same id, so that Google does it once.
   * @param options.begun called when Google has accepted it
   */
  change(
    request: (clients: GcpClients, requestId: string) => Promise<Begun>,
    options?: { signal?: AbortSignal | undefined; begun?: (() => void) | undefined },
  ): Promise<void>
  /** One request to another of Google's services, `dns` or `cloudbilling`: null where it answers 404. */
  rest: Rest
}

const TRIES = 5
const PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8_000

/** Google's API by its own client library, which is read when the first request is made: it is large. */
export function createGcpApi(project: GcpProject): GcpApi {
  let loaded: ReturnType<typeof loadClients> | null = null
  const pause = (step: number) =>
    Math.min((project.pauseMs ?? PAUSE_MS) * 1.6 ** step, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2)

  async function patiently<T>(request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted()
      try {
        const answer = await abortable(request(), signal)
        project.heard?.({ isFault: false, budget: null })
        return answer
      } catch (error) {
        signal?.throwIfAborted()
        const known = toError(error)
        project.heard?.({ isFault: TRANSIENT.has(known.id), budget: null })
        if (!TRANSIENT.has(known.id) || tries === TRIES) throw known
        await wait(pause(tries), signal)
      }
    }
  }

  const clients = async () => {
    loaded ??= loadClients(project)
    return loaded
  }
  const api: GcpApi = {
    project,
    ask: async (request, signal) => {
      const { compute } = await clients()
      return patiently(async () => (await request(compute))[0], signal)
    },
    async change(request, { signal, begun } = {}) {
      const { compute } = await clients()
      const requestId = randomUUID()
      const [answer] = await patiently(() => request(compute, requestId), signal)
      begun?.()
      let operation = answer.latestResponse as Operation
      for (let looks = 0; operation.status !== "DONE"; looks++) {
        await wait(pause(looks), signal)
        operation = await patiently(() => look(compute, project.project, operation), signal)
      }
      const [failed] = operation.error?.errors ?? []
      if (failed) throw failure(operation, `${failed.code}: ${failed.message}`)
      if (operation.httpErrorStatusCode)
        throw failure(operation, `Error ${operation.httpErrorStatusCode}: ${operation.httpErrorMessage}`)
    },
    rest: async (service, method, path, options = {}) => {
      const { rest } = await clients()
      return patiently(() => rest(service, method, path, options), options.signal)
    },
  }
  return api
}

/** What may be otherwise a moment later, whoever asks. */
const TRANSIENT = new Set(["provider-unreachable", "provider-rate-limited", "provider-failed"])

async function look(clients: GcpClients, project: string, { name, zone, region }: Operation): Promise<Operation> {
  const operation = name as string
  const last = (url: string) => url.split("/").at(-1) as string
  if (zone) return (await clients.zoneOperations.get({ project, zone: last(zone), operation }))[0]
  if (region) return (await clients.regionOperations.get({ project, region: last(region), operation }))[0]
  return (await clients.globalOperations.get({ project, operation }))[0]
}

function failure({ operationType }: Operation, said: string): InfraError {
  return (
    googleError(said) ??
    new InfraError(
      "provider-action-failed",
      "retry",
      `Google could not carry out "${operationType}": ${said.slice(0, 300)}; try again.`,
    )
  )
}

/** @throws the reason of the signal, not that a timer heard of it */
async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(error => {
    signal?.throwIfAborted()
    throw error
  })
}

/** The library knows no signal; whoever waits need not wait, and what is under way comes to its end unheard. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener("abort", stop, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener("abort", stop)
  }
}

/** What the library throws: what Google answered hangs on it as text. */
interface Thrown {
  message?: string
  code?: number | string
  httpStatusCode?: number
  status?: number
}
const PAYLOAD = Symbol.for("google-gax.rawHttpResponsePayload")

/** Any error of the library as one of ours. */
export function toError(error: unknown): InfraError {
  if (error instanceof InfraError) return error
  const thrown = error as Thrown & { [PAYLOAD]?: string }
  const status = thrown.httpStatusCode ?? thrown.status
  const reasons = reasonsOf(thrown[PAYLOAD])
  const said = `${reasons.join(" ")} Error ${status ?? thrown.code}: ${thrown.message}`
  const known = googleError(said)
  if (known) return known
  if (status === undefined) {
    return new InfraError(
      "provider-unreachable",
      "retry",
      "Google's API could not be reached or did not answer: check the network, then try again.",
      said,
    )
  }
  return new InfraError(
    "provider-refused",
    "investigate",
    `Google refused the request: ${(thrown.message ?? "").slice(0, 300)}`,
    said,
  )
}

function reasonsOf(payload: string | undefined): string[] {
  try {
    const { error } = JSON.parse(payload ?? "") as { error?: { errors?: { reason?: string }[]; status?: string } }
    return [...(error?.errors ?? []).map(one => one.reason ?? ""), error?.status ?? ""]
  } catch {
    return []
  }
}
