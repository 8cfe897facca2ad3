import { randomBytes } from "node:crypto"

/** Where an operation stands in a trace; ids as W3C Trace Context has them. */
export interface Trace {
  /** 32 hex digits. */
  id: string
  /** Of the operation's own span: 16 hex digits. */
  span: string
  /** Span of whoever asked for it. */
  parent?: string
  /** Who asked does not collect this trace: it is kept, and sent nowhere. */
  unsampled?: true
}

/** What time is spent on in an operation. */
export const SPAN_NAMES = [
  /** From the click to the wish at the service. */
  "click",
  /** Waiting for a worker. */
  "queue",
  "step",
  /** Waiting for an engine child that has nothing else to do. */
  "engine-wait",
  /** What stands before the engine: a look at its state, and at what can be had at the provider. */
  "engine-look",
  /** The engine's start, until it touches the first resource. */
  "engine-start",
  "resource",
  /** From the last resource to the engine's end. */
  "engine-end",
  /** From the machine's first word to its first report. */
  "first-report",
  /** Something of the desktop that was still missing in the machine's first reports. */
  "check",
  /** From the end to the browser's way to the machine. */
  "redirect",
  /** From there to the first picture in the viewer. */
  "first-frame",
] as const
export type SpanName = (typeof SPAN_NAMES)[number]

/** A stretch of time of an operation, once it is over. Times are ms since 1970, by the service's clock. */
export interface Span {
  /** 16 hex digits. */
  id: string
  /** The span it is a part of; null: the operation itself. */
  parent: string | null
  name: SpanName
  /** Which step, resource or check. */
  of?: string
  at: number
  until: number
  failed?: true
}

const hex = (bytes: number) => randomBytes(bytes).toString("hex")
export const newSpanId = (): string => hex(8)

/** The place of a new operation: in the trace of whoever asked, or in one of its own. */
export const newTrace = (asker: Asker | null): Trace => ({
  id: asker?.id ?? hex(16),
  span: newSpanId(),
  ...(asker ? { parent: asker.parent } : {}),
  ...(asker && !asker.sampled ? { unsampled: true } : {}),
})

/** What a `traceparent` says. */
export interface Asker {
  id: string
  parent: string
  sampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads the header of W3C Trace Context. Null: there is none, or none that counts. */
export function readTraceparent(header: string): Asker | null {
  const [, version, id = "", parent = "", flags = "", more] = TRACEPARENT.exec(header.trim()) ?? []
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return null
  if (/^0+$/.test(id) || /^0+$/.test(parent)) return null
  return { id, parent, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
