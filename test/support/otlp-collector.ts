import { createServer } from "node:http"
import { z } from "zod"

/** OTLP's JSON mapping of traces: field names in lowerCamelCase, ids as hex digits, 64-bit numbers as strings, enums as numbers. */
const uint64 = z.string().regex(/^\d{1,20}$/)
const id = (digits: number) => z.string().regex(new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`))
const AnyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
])
const Attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: AnyValue }))
  .refine(all => new Set(all.map(one => one.key)).size === all.length, "an attribute is there twice")
const OtlpSpan = z
  .strictObject({
    traceId: id(32),
    spanId: id(16),
    parentSpanId: id(16).optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes: Attributes,
    status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
  })
  .refine(one => BigInt(one.endTimeUnixNano) >= BigInt(one.startTimeUnixNano), "it ends before it begins")
const ExportRequest = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes: Attributes }),
        scopeSpans: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string(), version: z.string().optional() }),
              spans: z.array(OtlpSpan).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
})
export type ReceivedSpan = z.output<typeof OtlpSpan> & { resource: Record<string, unknown> }

/** What the collector answers to one request. */
export interface CollectorAnswer {
  status: number
  headers?: Record<string, string>
  body?: object
}

/** A collector over real HTTP that takes nothing but valid OTLP as JSON. */
export async function startCollector() {
  const spans: ReceivedSpan[] = []
  const requests: { path: string; headers: Record<string, unknown>; status: number }[] = []
  const invalid: string[] = []
  const control = { answers: [] as (CollectorAnswer | "silent")[] }
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const answer = control.answers.shift() ?? { status: 200, body: {} }
    const { url = "", headers } = request
    requests.push({ path: `${request.method} ${url}`, headers, status: answer === "silent" ? 0 : answer.status })
    if (answer === "silent") return
    const parsed = ExportRequest.safeParse(JSON.parse(body))
    if (!parsed.success) invalid.push(`${z.prettifyError(parsed.error)}\n${body.slice(0, 2_000)}`)
    else if (answer.status === 200) {
      for (const { resource, scopeSpans } of parsed.data.resourceSpans) {
        const about = attributesOf(resource)
        spans.push(...scopeSpans.flatMap(one => one.spans.map(span => ({ ...span, resource: about }))))
      }
    }
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
    response.end(JSON.stringify(answer.body ?? {}))
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    /** What was not OTLP, with why. */
    invalid,
    /** Answers to the next requests; after these every one is taken. */
    control,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Attributes by their names. */
export const attributesOf = ({ attributes }: { attributes: z.output<typeof Attributes> }): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
