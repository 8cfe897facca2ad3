import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { Logger } from "pino"
import { exportRequest, type OtlpSpan } from "./otlp.ts"
import type { TraceSettings } from "./settings.ts"

/** Spans that wait at most; what comes on top is lost. */
const MOST_WAITING = 2_048
const BATCH = 512
/** Tries of one batch, and the wait before the second; each further one is longer. */
const TRIES = 5
const FIRST_PAUSE_MS = 1_000
/** Longest wait that a collector may ask for. */
const LONGEST_PAUSE_MS = 300_000
/** What OTLP/HTTP says may be tried again. */
const PASSES = new Set([429, 502, 503, 504])
/** How long the end of the process waits for what is still to be sent. */
const LAST_MS = 2_000
/** So often at most a collector that does not take them is told of in the log. */
const COMPLAIN_MS = 60_000

/** Sends spans to a collector, beside everything else: nothing waits for it, and nothing fails by it. */
export interface Exporter {
  add(spans: OtlpSpan[]): void
  /** Sends what waits, once, and not for long. */
  close(): Promise<void>
}

/** OTLP over HTTP, as JSON. */
export function createExporter(settings: TraceSettings, log: Logger, firstPauseMs = FIRST_PAUSE_MS): Exporter {
  const resource = { "service.instance.id": randomUUID(), ...settings.resource }
  const waiting: OtlpSpan[] = []
  const closing = new AbortController()
  let lost = 0
  let complainedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let sending: Promise<void> = Promise.resolve()

  function lose(count: number, why: string): void {
    lost += count
    if (performance.now() - complainedAt < COMPLAIN_MS) return
    complainedAt = performance.now()
    log.warn({ lost, why }, "traces could not be handed over")
    lost = 0
  }

  async function post(spans: OtlpSpan[], timeoutMs: number): Promise<Response | string> {
    try {
      return await fetch(settings.url, {
        method: "POST",
        headers: { ...settings.headers, "content-type": "application/json" },
        body: JSON.stringify(exportRequest(resource, spans)),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      })
    } catch (error) {
      const { message, cause } = error as Error
      return cause instanceof Error ? cause.message || message : message
    }
  }

  async function send(spans: OtlpSpan[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const isLast = closing.signal.aborted || tries === TRIES
      const answer = await post(spans, closing.signal.aborted ? LAST_MS : settings.timeoutMs)
      if (typeof answer !== "string" && answer.ok) return readAnswer(answer)
      const why = typeof answer === "string" ? answer : `the collector answered ${answer.status}`
      // An answer that nobody reads keeps its connection.
      if (typeof answer !== "string") await answer.body?.cancel().catch(() => {})
      const passes = typeof answer === "string" || PASSES.has(answer.status)
      if (isLast || !passes) return lose(spans.length, why)
      const asked = typeof answer === "string" ? null : retryAfter(answer.headers.get("retry-after"), Date.now())
      const pause = asked ?? firstPauseMs * 2 ** (tries - 1) * (0.8 + Math.random() * 0.4)
      await sleep(pause, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  }

  async function readAnswer(answer: Response): Promise<void> {
    const said = (await answer.json().catch(() => null)) as { partialSuccess?: Record<string, unknown> } | null
    const { rejectedSpans = 0, errorMessage = "" } = said?.partialSuccess ?? {}
    if (Number(rejectedSpans) > 0) lose(Number(rejectedSpans), `refused by the collector: ${errorMessage}`)
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) await send(waiting.splice(0, BATCH))
  }

  const begin = () => {
    timer = null
    sending = sending.then(drain)
    return sending
  }

  return {
    add(spans) {
      if (closing.signal.aborted) return
      const room = MOST_WAITING - waiting.length
      if (spans.length > room) lose(spans.length - room, "more came than the collector takes")
      waiting.push(...spans.slice(0, room))
      if (waiting.length > 0) timer ??= setTimeout(begin, settings.delayMs).unref()
    },
    async close() {
      closing.abort()
      if (timer) clearTimeout(timer)
      await Promise.race([begin(), sleep(LAST_MS, undefined, { ref: false })])
    },
  }
}

/** Milliseconds to wait by a header `Retry-After`, in seconds or as a date; null: it says nothing that can be read. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isNaN(ms) ? null : Math.min(LONGEST_PAUSE_MS, Math.max(0, ms))
}
