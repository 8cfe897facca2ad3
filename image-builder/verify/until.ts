import { setTimeout as sleep } from "node:timers/promises"
import { CheckFailure } from "./check.ts"

export interface Patience {
  /** Milliseconds after which a condition counts as failed. */
  limit: number
  signal?: AbortSignal | undefined
}

/**
 * Asks again and again until the answer is a value, and returns it. A question that throws is asked again; its last
 * words are in the failure.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { limit, signal }: Patience,
): Promise<T> {
  const deadline = performance.now() + limit
  let words = ""
  for (;;) {
    signal?.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== null && answer !== undefined && answer !== false) return answer
      words = ""
    } catch (error) {
      words = `: ${(error as Error).message}`
    }
    if (performance.now() > deadline) {
      throw new CheckFailure(`${what} was waited for in vain (${Math.round(limit / 1000)} s)${words}`)
    }
    await sleep(150, undefined, { signal })
  }
}
