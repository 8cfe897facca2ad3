import { InfraError } from "../../infra/errors.ts"

/** What passes by itself: the provider, or the storage of the engine's state, cannot be reached, fails, has too much to do, or is at work on the machine. */
const PASSING = new Set([
  "provider-unreachable",
  "provider-silent",
  "provider-failed",
  "provider-rate-limited",
  "provider-action-failed",
  "provider-busy",
  "state-unreachable",
  // Where hosts share the state, a lock of another one's dead engine is there until that host, or its loss, is noticed.
  "stack-locked",
])

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** A fault that comes so long after the one before is another one, and is borne anew. */
const ANEW_MS = 300_000

/** How long one run of an operation bears a provider that fails. */
export interface Patience {
  /** Would it be tried again after this? Then nothing of it is to be taken back. */
  bears(error: unknown): boolean
  /** Counts a fault. @returns milliseconds to wait before the next try; null when it is borne no longer */
  next(error: unknown): number | null
}

/**
 * @param patienceMs from the first fault on
 * @param now milliseconds that never go backwards
 * @param random 0 to 1: parts those that wait for the same provider
 */
export function createPatience(
  patienceMs: number,
  now: () => number = () => performance.now(),
  random: () => number = Math.random,
): Patience {
  let first: number | null = null
  let last = 0
  let tries = 0
  const isBorne = () => patienceMs > 0 && (first === null || now() - last > ANEW_MS || now() - first < patienceMs)
  const bears = (error: unknown) => error instanceof InfraError && PASSING.has(error.id) && isBorne()
  return {
    bears,
    next(error) {
      if (!bears(error)) return null
      if (first === null || now() - last > ANEW_MS) {
        first = now()
        tries = 0
      }
      last = now()
      return Math.min(FIRST_PAUSE_MS * 2 ** tries++, LONGEST_PAUSE_MS) * (0.75 + random() / 2)
    },
  }
}
