import { setTimeout as sleep } from "node:timers/promises"

/**
 * Asks until the answer is neither null nor undefined nor false, and returns it. A question that throws is asked again.
 * The limit (milliseconds) is there to end a broken test, not to measure speed.
 * @param everyMs between two questions: more, where asking takes from an emulated machine what it needs to get there
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  limit = 180_000,
  everyMs = 100,
): Promise<T> {
  const deadline = Date.now() + limit
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== null && answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`Waited ${limit / 1000} s in vain: ${what}.`, { cause: last })
    await sleep(everyMs)
  }
}
