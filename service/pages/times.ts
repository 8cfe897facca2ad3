import type { Operation } from "../operations/operation.ts"
import { isOver } from "../operations/operation.ts"
import { type TimeRow, timeRows, wholeTime } from "../traces/rows.ts"
import type { Span } from "../traces/span.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import { exactly } from "./words.ts"

/** Parts that are shorter are not worth a line. */
const SHORT_MS = 50
/** What usually takes less says nothing. */
const LEAST_S = 0.05

/**
 * Where the time of an operation went: each stretch in words and seconds beside the usual, with a bar where it lies in
 * the whole. Client code loads the part `#times` again while the operation goes on.
 */
export function timesView(operation: Operation, spans: Span[]): Html {
  const whole = wholeTime(spans)
  const over = isOver(operation)
  return html`<div id="times">${
    whole !== null &&
    html`<details ${attributes({ class: "times", id: "times-shown", open: over })}><summary>${over ? "Where the time went" : "Where the time goes"} <span class="soft">${exactly(whole.ms)} ${over ? `from ${whole.from} to ${whole.to}` : "so far"}</span>${icon("chevron")}</summary>
${list(timeRows(operation, spans), { at: spans[0]?.at ?? 0, ms: Math.max(1, whole.ms) })}</details>`
  }</div>`
}

const list = (rows: TimeRow[], whole: { at: number; ms: number }): Html =>
  html`<ol>${rows.map(row => item(row, whole))}</ol>`

function item(row: TimeRow, whole: { at: number; ms: number }): Html {
  const { label, at, until, usual, failed } = row
  const percent = (ms: number) => Math.round((Math.max(0, ms) / whole.ms) * 1000) / 10
  const width = Math.max(0.4, percent(until - at))
  const parts = row.parts.filter(part => part.until - part.at >= SHORT_MS)
  return html`<li><div class="time ${failed && "failed"}"><span>${label}${failed && " (failed)"}</span>
<span class="time-took">${exactly(until - at)}${usual !== null && usual >= LEAST_S && html` <span class="soft">usually ${exactly(usual * 1000)}</span>`}</span>
<svg width="100%" height="6" aria-hidden="true" focusable="false"><rect class="time-whole" width="100%" height="6"/><rect class="time-bar" x="${Math.min(percent(at - whole.at), 100 - width)}%" width="${width}%" height="6"/></svg></div>
${parts.length > 0 && list(parts, whole)}</li>\n`
}
