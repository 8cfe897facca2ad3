import type { OperationEvent, OperationState } from "../operations/operation.ts"

/** How far one step has come. Times are milliseconds since 1970. */
export interface StepMark {
  state: "waiting" | "begun" | "done" | "failed"
  begunAt: number | null
  endedAt: number | null
}

/** What an operation's events add up to. The browser runs this file too. */
export interface Timeline {
  state: OperationState
  /** When the work began; when it was asked for, until then. */
  startedAt: number
  steps: Record<string, StepMark>
  log: { at: number; text: string }[]
}

/** What a mark says to who hears the page. */
export const MARK_WORDS: Record<StepMark["state"], string> = {
  waiting: "not begun",
  begun: "in progress",
  done: "done",
  failed: "failed",
}

export const beginTimeline = (steps: readonly string[], startedAt: number): Timeline => ({
  state: "queued",
  startedAt,
  steps: Object.fromEntries(steps.map(step => [step, unmarked()])),
  log: [],
})

const unmarked = (): StepMark => ({ state: "waiting", begunAt: null, endedAt: null })

const isEnd = (state: OperationState) => state !== "queued" && state !== "running"

/** The timeline after one more event. Steps it does not know are left out. */
export function follow(before: Timeline, event: OperationEvent): Timeline {
  if (event.type === "log") return { ...before, log: [...before.log, { at: event.at, text: event.text }] }
  if (event.type === "step") {
    const mark = before.steps[event.step]
    if (mark === undefined) return before
    const steps = { ...before.steps, [event.step]: marked(mark, event.state, event.at) }
    return { ...(before.state === "queued" ? running(before, event.at) : before), steps }
  }
  if (isEnd(event.state)) return { ...before, state: event.state }
  if (before.state === "queued") return event.state === "running" ? running(before, event.at) : before
  // Another attempt, by another worker: from the first step, while the clock goes on.
  return { ...before, state: event.state, steps: beginTimeline(Object.keys(before.steps), 0).steps }
}

/** The clock begins when the work does, not when it was asked for: estimates are of the work alone. */
const running = (before: Timeline, at: number): Timeline => ({ ...before, state: "running", startedAt: at })

function marked(mark: StepMark, state: "begun" | "done" | "failed", at: number): StepMark {
  if (state === "begun") return { state, begunAt: at, endedAt: null }
  return { state, begunAt: mark.begunAt ?? at, endedAt: at }
}

/** A timeline of one step that has been going on since a time: for a bar that knows of no steps. */
export const wholeTimeline = (from: number): Timeline => ({
  ...beginTimeline([], from),
  steps: { all: { state: "begun", begunAt: from, endedAt: null } },
})
