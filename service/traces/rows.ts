import type { Estimate, Operation, StepName } from "../operations/operation.ts"
import { partKey } from "./recorder.ts"
import type { Span } from "./span.ts"
import { spanLabel } from "./words.ts"

/** A stretch of time as people are shown it. */
export interface TimeRow {
  label: string
  /** ms since 1970. */
  at: number
  until: number
  /** Median seconds of earlier ones; null: there were none. */
  usual: number | null
  failed: boolean
  parts: TimeRow[]
}

/** Seconds that this took in earlier operations of the kind; null: there were none. */
export function usualSeconds({ steps, parts = {} }: Estimate, span: Pick<Span, "name" | "of">): number | null {
  return (span.name === "step" ? steps[span.of as StepName] : parts[partKey(span)]) ?? null
}

/** So long nothing was worked on: a worker died, and another one took it up. */
const GAP_MS = 1_000

/** Spans of an operation in the order in which they began, those of a step within it. */
export function timeRows({ kind, estimate }: Pick<Operation, "kind" | "estimate">, spans: Span[]): TimeRow[] {
  const row = (span: Span): TimeRow => ({
    label: spanLabel(kind, span),
    ...{ at: span.at, until: span.until, usual: usualSeconds(estimate, span), failed: span.failed ?? false },
    parts: spans.filter(one => one.parent === span.id).map(row),
  })
  const rows = spans.filter(one => one.parent === null).map(row)
  return rows.flatMap((one, place) => {
    const before = rows[place - 1]?.until ?? one.at
    const gap = { label: "Interrupted, until another worker went on", at: before, until: one.at }
    return one.at - before < GAP_MS ? [one] : [{ ...gap, usual: null, failed: false, parts: [] }, one]
  })
}

/** What the times of an operation add up to, in words; null where nothing is known. */
export function wholeTime(spans: Span[]): { ms: number; from: string; to: string } | null {
  const whole = spans.filter(one => one.parent === null)
  const [first] = whole
  if (first === undefined) return null
  const until = Math.max(...whole.map(one => one.until))
  const has = (name: Span["name"]) => whole.some(one => one.name === name)
  const from = first.name === "click" ? "the click" : "the wish"
  const to = has("first-frame") ? "the first picture" : has("redirect") ? "the way to the machine" : "the last step"
  return { ms: until - first.at, from, to }
}
