import { newSpanId, type Span, type SpanName } from "./span.ts"

/** Ends a span that was begun; again does nothing. */
export type EndSpan = (failed?: boolean) => void

/** Takes down what one run of an operation spends its time on. */
export interface Recorder {
  /** The step that goes on from now: what is begun meanwhile is a part of it. */
  step(name: string): void
  endStep(failed: boolean): void
  begin(name: SpanName, of?: string): EndSpan
  /** A span whose times are known. */
  add(span: Pick<Span, "name" | "at" | "until"> & { of?: string; once?: true }): void
  /** Keeps what has ended so far; whatever becomes of that, it does not fail. */
  flush(): Promise<void>
  /** Seconds by `partKey` of what has ended, in all. */
  seconds(): Record<string, number>
}

/** What a kind of span is called among the usual times. */
export const partKey = ({ name, of }: Pick<Span, "name" | "of">): string => (of === undefined ? name : `${name}:${of}`)

/** A span to be kept; of those with a name of their own an operation has one. */
export interface Kept {
  field: string
  span: Span
}

/** @param keep keeps spans; is not called again before it has ended */
export function createRecorder(now: () => number, keep: (spans: Kept[]) => Promise<void>): Recorder {
  let step: { id: string; end: EndSpan } | null = null
  let ended: Kept[] = []
  let keeping: Promise<void> = Promise.resolve()
  const seconds: Record<string, number> = {}

  function close(span: Span, once = false): void {
    ended.push({ field: once ? span.name : span.id, span })
    const key = partKey(span)
    seconds[key] = (seconds[key] ?? 0) + (span.until - span.at) / 1000
  }

  function begin(parent: string | null, name: SpanName, of?: string) {
    const [id, at] = [newSpanId(), now()]
    let isOver = false
    const end = (failed = false) => {
      if (isOver) return
      isOver = true
      const until = Math.max(at, now())
      close({ id, parent, name, ...(of === undefined ? {} : { of }), at, until, ...(failed ? { failed } : {}) })
    }
    return { id, end }
  }

  return {
    step(name) {
      step?.end()
      step = begin(null, "step", name)
    },
    endStep(failed) {
      step?.end(failed)
      step = null
    },
    begin: (name, of) => begin(step?.id ?? null, name, of).end,
    add: ({ once, ...span }) => close({ id: newSpanId(), parent: null, ...span }, once),
    flush() {
      keeping = keeping.then(async () => {
        const some = ended
        ended = []
        if (some.length > 0) await keep(some)
      })
      return keeping
    },
    seconds: () => seconds,
  }
}
