import type { Operation } from "../operations/operation.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Span, Trace } from "./span.ts"

/** OpenTelemetry's protocol as JSON: proto3's mapping, but that ids are hex digits. 64-bit numbers are strings, enums numbers. */
export interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Attribute[]
  status: { code: number; message?: string }
}

export interface Attribute {
  key: string
  value: { stringValue: string } | { intValue: string }
}

/** Of `Span.SpanKind`. */
const INTERNAL = 1
/** Of `Status.StatusCode`. */
const [UNSET, ERROR] = [0, 2]

/** The body of a request to `/v1/traces`. */
export function exportRequest(resource: Record<string, string>, spans: OtlpSpan[]): object {
  const attributes = Object.entries(resource).map(([key, value]) => text(key, value))
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: "foozol-cloud" }, spans }] }] }
}

/** What a span is a part of. */
export interface Whole {
  trace: Trace
  operation: Pick<Operation, "id" | "kind" | "attempts">
  workspace: Pick<Workspace, "id" | "provider" | "region" | "profile">
}

/** A part of an operation. */
export function toOtlp(whole: Whole, { id, parent, name, of, at, until, failed }: Span): OtlpSpan {
  return {
    ...{ traceId: whole.trace.id, spanId: id, parentSpanId: parent ?? whole.trace.span },
    name: of === undefined ? name : `${name} ${of}`,
    kind: INTERNAL,
    ...{ startTimeUnixNano: nanoseconds(at), endTimeUnixNano: nanoseconds(until) },
    attributes: [...about(whole), ...(of === undefined ? [] : [text(`foozol.${name}`, of)])],
    status: { code: failed ? ERROR : UNSET },
  }
}

/** The operation itself, when it is over. */
export function operationToOtlp(
  whole: Whole,
  { createdAt, finishedAt, state, failure }: Pick<Operation, "createdAt" | "finishedAt" | "state" | "failure">,
): OtlpSpan {
  const { id, span, parent } = whole.trace
  const attempts = { key: "foozol.operation.attempts", value: { intValue: String(whole.operation.attempts) } }
  return {
    ...{ traceId: id, spanId: span, ...(parent === undefined ? {} : { parentSpanId: parent }) },
    name: `operation ${whole.operation.kind}`,
    kind: INTERNAL,
    ...{ startTimeUnixNano: nanoseconds(createdAt), endTimeUnixNano: nanoseconds(finishedAt ?? createdAt) },
    attributes: [...about(whole), text("foozol.operation.state", state), attempts],
    // The error's stable name alone: its words may name what is the owner's.
    status: state === "failed" ? { code: ERROR, message: failure?.id ?? "unknown" } : { code: UNSET },
  }
}

function about({ operation, workspace }: Whole): Attribute[] {
  return [
    text("foozol.operation.id", operation.id),
    text("foozol.operation.kind", operation.kind),
    text("foozol.workspace.id", workspace.id),
    text("foozol.provider", workspace.provider),
    text("foozol.region", workspace.region),
    text("foozol.profile", workspace.profile),
  ]
}

const text = (key: string, value: string): Attribute => ({ key, value: { stringValue: value } })

/** More than a double holds exactly. */
const nanoseconds = (ms: number): string => (BigInt(Math.round(ms)) * 1_000_000n).toString()
