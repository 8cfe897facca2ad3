import type { Timeline } from "./timeline.ts"
import { roughly } from "./words.ts"

/** Median seconds of earlier runs, in all and by step; see `Estimate` of an operation. */
export interface Expected {
  seconds: number | null
  steps: Partial<Record<string, number>>
}

export interface Progress {
  /** From 0 to 1; 1 only after success. */
  fraction: number
  elapsedMs: number
  /** Seconds left by the estimate; null when there is none or it has been passed. */
  leftSeconds: number | null
  /** Does it take clearly longer than it usually did? */
  late: boolean
  /** Place of the current step, from 0; the number of steps when all are done. */
  at: number
}

/** Seconds a step is given when nothing is known: it only shapes how the bar moves, no number of it is shown. */
const UNKNOWN_STEP_S = 15
/** The most a bar shows before success. */
const MOST = 0.99

/** How far an operation has come at a time. The browser runs this file too. */
export function progressOf(timeline: Timeline, expected: Expected, now: number): Progress {
  const steps = Object.entries(timeline.steps)
  const elapsedMs = Math.max(0, now - timeline.startedAt)
  const weights = weigh(
    steps.map(([name]) => name),
    expected,
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let passed = 0
  for (const [index, [, mark]] of steps.entries()) {
    const weight = weights[index] ?? 0
    if (mark.state === "done") passed += weight
    else if (mark.begunAt !== null) passed += weight * within((now - mark.begunAt) / 1000 / weight)
  }
  const undone = steps.findIndex(([, mark]) => mark.state !== "done")
  const usual = expected.seconds
  return {
    fraction: timeline.state === "succeeded" ? 1 : Math.min(MOST, total === 0 ? 0 : passed / total),
    elapsedMs,
    leftSeconds: usual === null || elapsedMs >= usual * 1000 ? null : usual - elapsedMs / 1000,
    late: usual !== null && elapsedMs > Math.max(usual * 1.25, usual + 5) * 1000,
    at: undone === -1 ? steps.length : undone,
  }
}

/** Seconds every step is given: what it took before; the rest of the whole shared by those of which nothing is known. */
function weigh(steps: string[], { seconds, steps: known }: Expected): number[] {
  const unknown = steps.filter(step => known[step] === undefined).length
  const rest = (seconds ?? 0) - steps.reduce((sum, step) => sum + (known[step] ?? 0), 0)
  const share = seconds === null ? UNKNOWN_STEP_S : rest / Math.max(1, unknown)
  return steps.map(step => Math.max(0.5, known[step] ?? share))
}

/**
 * How full a step is after `x` times its usual duration: in a straight line to three quarters, then ever slower, so that
 * it moves on for as long as it takes and never reaches 1.
 */
export function within(x: number): number {
  const knee = 0.75
  if (x <= knee) return Math.max(0, x)
  const left = 1 - knee
  // The logarithm has no end, and its slope at the knee is that of the line.
  return 1 - left / (1 + Math.log1p((x - knee) / left))
}

/** How long it will take, as far as that is known. */
export function estimateWords(seconds: number | null, { late, leftSeconds }: Progress): string {
  if (seconds === null) return "No estimate yet: it was not done before"
  if (late) return `Taking longer than usual (about ${roughly(seconds)})`
  if (leftSeconds === null) return `Usually about ${roughly(seconds)}; any moment now`
  return `Usually about ${roughly(seconds)}; about ${roughly(leftSeconds)} left`
}
