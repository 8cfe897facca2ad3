import { z } from "zod"
import { readPairs } from "../traces/settings.ts"
import { flag, httpUrl, whole } from "./shapes.ts"

/** What OpenTelemetry's variables hold several of. */
const pairs = z.string().transform((text, ctx) => {
  const read = readPairs(text)
  if (read) return read
  ctx.addIssue({ code: "custom", message: "must be name=value, several parted by commas, values percent-encoded" })
  return z.NEVER
})
/** Collectors take it wherever they take OTLP over HTTP. */
const onlyJson = z.literal("http/json", "must be http/json, or not be set: the service speaks no other")

/** Where traces are sent: OpenTelemetry's own variables. */
export const traces = {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl
    .optional()
    .describe(
      "OpenTelemetry collector that traces of operations are sent to, by OTLP over HTTP, at its `/v1/traces`; they are sent nowhere if unset",
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .optional()
    .describe("the whole address for traces, where it is another"),
  OTEL_EXPORTER_OTLP_HEADERS: pairs
    .optional()
    .describe("headers of every request to it, such as `authorization=Bearer%20KEY`, parted by commas"),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: pairs.optional().describe("these in place of those, for traces"),
  OTEL_EXPORTER_OTLP_TIMEOUT: whole(1, 600_000)
    .default(10_000)
    .describe("milliseconds the collector may take to answer"),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: whole(1, 600_000).optional().describe("the same, for traces"),
  OTEL_EXPORTER_OTLP_PROTOCOL: onlyJson.optional().describe("`http/json`, which is all that the service speaks"),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: onlyJson.optional().describe("the same, for traces"),
  OTEL_BSP_SCHEDULE_DELAY: whole(0, 600_000).default(5_000).describe("milliseconds between two batches of spans"),
  OTEL_SERVICE_NAME: z
    .string()
    .max(200)
    .optional()
    .describe("what the service is called in traces; `foozol-cloud` if unset"),
  OTEL_RESOURCE_ATTRIBUTES: pairs
    .optional()
    .describe("what else is said of the service in traces, such as `deployment.environment.name=production`"),
  OTEL_SDK_DISABLED: flag.default(false).describe("true: no traces are sent, whatever else is set"),
}
