/** Where traces are sent, as OpenTelemetry's variables say it. */
export interface TraceSettings {
  /** Of the traces, path included. */
  url: string
  headers: Record<string, string>
  /** Until an answer has to be there. */
  timeoutMs: number
  /** Between two batches. */
  delayMs: number
  /** What is said of this service with every batch. */
  resource: Record<string, string>
}

/** Given settings of OpenTelemetry, those for traces alone before those for all. */
export interface GivenTraceSettings {
  endpoint: string | undefined
  tracesEndpoint: string | undefined
  headers: Record<string, string>
  timeoutMs: number
  delayMs: number
  serviceName: string | undefined
  attributes: Record<string, string>
  disabled: boolean
}

/** Null: nothing is sent anywhere. */
export function traceSettings(given: GivenTraceSettings): TraceSettings | null {
  const { endpoint, tracesEndpoint, headers, timeoutMs, delayMs, serviceName, attributes } = given
  // That of the traces is taken as it is; the common one is where `v1/traces` lies below.
  const url = tracesEndpoint ?? (endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, "")}/v1/traces`)
  if (url === undefined || given.disabled) return null
  const name = serviceName ?? attributes["service.name"] ?? "foozol-cloud"
  return { url, headers, timeoutMs, delayMs, resource: { ...attributes, "service.name": name } }
}

/** Reads `name=value,name=value`, values percent-encoded. Null: it is none. */
export function readPairs(text: string): Record<string, string> | null {
  const pairs: [string, string][] = []
  for (const part of text.split(",").filter(one => one.trim() !== "")) {
    const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? []
    if (name === undefined || value === undefined) return null
    try {
      pairs.push([name, decodeURIComponent(value)])
    } catch {
      return null
    }
  }
  return Object.fromEntries(pairs)
}
