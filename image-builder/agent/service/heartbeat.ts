import { type Backoff, pause } from "../backoff.ts"
import { type Log, reasonOf } from "../log.ts"
import type { Rest } from "../sleep/rest.ts"
import type { ServiceClient } from "./client.ts"

/**
 * Reports to the service until the signal aborts: at once when the desktop is ready, then again and again; a desktop
 * that takes too long to be ready is reported too, so that somebody learns what is missing. What could
 * not be said is not kept; the next report says how things are then.
 */
export async function keepReporting(options: {
  client: ServiceClient
  backoff: Backoff
  signal: AbortSignal
  log: Log
  /** Until the next report; asked anew each time. */
  everyMs(): number
  rest: Rest
  /** Waits until there is something to say for the first time. */
  ready: Promise<unknown>
  report(): Promise<object>
}): Promise<void> {
  const { client, backoff, signal, log, rest } = options
  await options.ready
  let away = false
  while (!signal.aborted) {
    await rest.over()
    let wait = 0
    try {
      await client.report(await options.report())
      if (away) log.info("the service takes reports again")
      away = false
      backoff.reset()
      wait = options.everyMs()
    } catch (error) {
      if (!away) log.warn(`a report did not reach the service: ${reasonOf(error)}; trying again`)
      away = true
      wait = backoff.next()
    }
    await pause(wait, signal)
  }
}
