import { setTimeout as sleep } from "node:timers/promises"
import { askHost, type Woken } from "./host.ts"

/** Between two questions where nobody said how long to wait, milliseconds. */
const AGAIN_MS = 300

/** Keeps this machine's memory while it sleeps, where its provider can do that. */
export interface MemoryKeeper {
  /** Whether it can; asked until there is an answer. */
  can(): Promise<boolean>
  /**
   * Wishes to fall asleep. Resolves when the machine is told who it is: it has slept, or could not be kept and goes on.
   * Null where the wish was not taken.
   */
  sleep(): Promise<Woken | null>
}

/** The one of the local cloud. */
export function createMemoryKeeper(ask: typeof askHost = askHost): MemoryKeeper {
  let known: boolean | null = null
  return {
    async can() {
      known ??= await ask("sleep").then(
        ({ status }) => status === 200,
        () => null,
      )
      return known ?? false
    },
    async sleep() {
      const taken = await ask("sleep", "POST").catch(() => null)
      // Not answered in time it may have been taken all the same; what is said next tells.
      if (taken !== null && taken.status !== 202) return null
      for (let wait = AGAIN_MS; ; ) {
        await sleep(wait)
        // No answer: the question was under way when the memory was kept.
        const answer = await ask("standby").catch(() => null)
        const said = answer?.said as Woken | { againInMs: number } | null | undefined
        if (said && "machine" in said) return said
        wait = said?.againInMs ?? 0
      }
    },
  }
}
