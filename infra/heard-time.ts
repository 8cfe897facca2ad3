import { setTimeout as sleep } from "node:timers/promises"

/** What a process that was held up loses of the time it waits, at most: this part of it. */
const SLICES = 20

/**
 * Waits for a time in which answers could be heard: while this process itself is held up it hears none, and what came
 * meanwhile is heard before the rest of the time goes by.
 * @param ms milliseconds
 */
export async function heardTime(ms: number, signal: AbortSignal): Promise<void> {
  for (let slice = 0; slice < SLICES; slice++) await sleep(ms / SLICES, undefined, { signal })
}
