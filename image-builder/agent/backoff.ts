import { setTimeout as sleep } from "node:timers/promises"

export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number
  reset(): void
}

/**
 * Waiting times that double from `first` to `most`, each shortened by up to half at random, so that the machines
 * of a service that comes back do not all call in the same second.
 */
export function createBackoff(options: { first: number; most: number; random: () => number }): Backoff {
  let wait = options.first
  return {
    next: () => {
      const now = wait * (1 - options.random() / 2)
      wait = Math.min(options.most, wait * 2)
      return now
    },
    reset: () => {
      wait = options.first
    },
  }
}

/** Waits, or returns early and quietly when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: true }).catch(() => {})
}
