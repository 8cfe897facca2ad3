import assert from "node:assert/strict"
import { pino } from "pino"
import { createExporter, retryAfter } from "../../../service/traces/exporter.ts"
import type { OtlpSpan } from "../../../service/traces/otlp.ts"
import { newSpanId, newTrace } from "../../../service/traces/span.ts"
import { startCollector } from "../../support/otlp-collector.ts"
import { waitUntil } from "../../support/wait-until.ts"

const PAUSE_MS = 20

describe("traces on their way to a collector", () => {
  let collector: Awaited<ReturnType<typeof startCollector>>
  let lines: string[]

  beforeEach(async () => {
    collector = await startCollector()
    lines = []
  })
  afterEach(() => collector.close())

  const exporter = (more: { url?: string; timeoutMs?: number; delayMs?: number } = {}) =>
    createExporter(
      {
        ...{
          url: `${collector.url}/v1/traces`,
          headers: { authorization: "Bearer key" },
          timeoutMs: 60_000,
          delayMs: 5,
        },
        ...{ resource: { "service.name": "test" }, ...more },
      },
      pino({ level: "debug" }, { write: line => lines.push(line) }),
      PAUSE_MS,
    )
  const span = (name = "step boot"): OtlpSpan => {
    const { id, span } = newTrace(null)
    return {
      ...{ traceId: id, spanId: newSpanId(), parentSpanId: span, name, kind: 1, attributes: [], status: { code: 0 } },
      ...{ startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000000001000000" },
    }
  }
  const spans = (count: number) => Array.from({ length: count }, (_, at) => span(`span ${at}`))

  it("go in batches, in order, with the headers and what is said of the service", async () => {
    const { add, close } = exporter()
    add(spans(600))
    add([span("last")])
    await waitUntil("all have arrived", () => collector.spans.length === 601)
    assert.deepEqual(collector.spans.map(one => one.name).slice(-2), ["span 599", "last"])
    assert.equal(collector.requests.length, 2)
    assert.equal(collector.requests[0]?.headers.authorization, "Bearer key")
    assert.equal(collector.spans[0]?.resource["service.name"], "test")
    assert.deepEqual(collector.invalid, [])
    await close()
  })

  it("are tried again after what passes, as the collector asks, and each arrives once", async () => {
    collector.control.answers = [
      { status: 503, headers: { "retry-after": "0" } },
      { status: 429 },
      { status: 502 },
      { status: 504 },
    ]
    const { add, close } = exporter()
    add([span()])
    await waitUntil("it has arrived", () => collector.spans.length === 1)
    await close()
    assert.deepEqual(
      collector.requests.map(one => one.status),
      [503, 429, 502, 504, 200],
    )
    assert.deepEqual(lines, [])
  })

  it("are given up after five tries, and after a refusal at once; what comes later goes on", async () => {
    for (const status of [503, 400]) {
      const before = collector.requests.length
      collector.control.answers = Array.from({ length: status === 503 ? 5 : 1 }, () => ({
        status,
        headers: { "retry-after": "0" },
      }))
      const { add, close } = exporter()
      add([span()])
      await waitUntil("it was said", () => lines.length > 0)
      assert.match(lines.join(""), new RegExp(`could not be handed over.*|answered ${status}`))
      assert.equal(collector.requests.length - before, status === 503 ? 5 : 1)
      add([span("later")])
      await waitUntil("the later one has arrived", () => collector.spans.some(one => one.name === "later"))
      await close()
      assert.equal(lines.length, 1)
      lines = []
      collector.spans.length = 0
    }
  })

  it("say how many the collector did not take", async () => {
    const body = { partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } }
    collector.control.answers = [{ status: 200, body }]
    const { add, close } = exporter()
    add(spans(3))
    await waitUntil("it was said", () => lines.length > 0)
    assert.match(lines[0] ?? "", /"lost":2.*too old/)
    await close()
    assert.equal(collector.requests.length, 1, "what it has refused is not sent again")
  })

  it("wait in a queue that has an end, and a silent collector is waited for no longer than was said", async () => {
    collector.control.answers = ["silent"]
    const { add, close } = exporter({ timeoutMs: 1_000 })
    add([span("first")])
    await waitUntil("it is on its way", () => collector.requests.length === 1)
    add(spans(3_000))
    assert.match(lines[0] ?? "", /"lost":952/)
    // What a busy computer has answered too late comes twice.
    const arrived = () => new Set(collector.spans.map(one => one.spanId)).size
    await waitUntil("what there was room for has arrived", () => arrived() === 2_049)
    assert.equal(collector.spans[0]?.name, "first")
    await close()
  })

  it("what waits is sent when the process ends, and nobody waits long for a collector that is away", async () => {
    const late = exporter({ delayMs: 60_000 })
    late.add(spans(2))
    await late.close()
    await waitUntil("both have arrived", () => collector.spans.length === 2)
    late.add([span()])
    await late.close()
    assert.equal(collector.spans.length, 2, "nothing is taken any more")
    const nowhere = exporter({ url: "http://127.0.0.1:9/v1/traces", delayMs: 60_000 })
    nowhere.add([span()])
    const begun = performance.now()
    await nowhere.close()
    assert.ok(performance.now() - begun < 50_000)
    assert.match(lines.join(""), /could not be handed over/)
    assert.doesNotMatch(lines.join(""), /Bearer key/)
  })

  it("how long to wait is read in seconds and as a date", () => {
    const now = Date.UTC(2026, 0, 1)
    assert.equal(retryAfter(null, now), null)
    assert.equal(retryAfter("soon", now), null)
    assert.equal(retryAfter("7", now), 7_000)
    assert.equal(retryAfter(new Date(now + 3_000).toUTCString(), now), 3_000)
    assert.equal(retryAfter(new Date(now - 3_000).toUTCString(), now), 0)
    assert.equal(retryAfter("99999999", now), 300_000)
  })
})
