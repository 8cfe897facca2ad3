import { STREAM_CLOSED } from "./admission.ts"
import type { Relay } from "./relay/relay.ts"
import type { ViewerEvents } from "./viewer-events.ts"

/** Longest time a timer of Node can wait. */
const MAX_WAIT = 2 ** 31 - 1

/** Warns the viewers of a stop that is planned, and sends them away when it is due. A newer word replaces an older. */
export function createStopping(options: { relay: Relay; events: ViewerEvents; now: () => number }) {
  let timer: NodeJS.Timeout | undefined
  let due = false
  const stop = (reason: string) => {
    due = true
    options.events.tell("sleeping", { reason })
    options.relay.closeAll(STREAM_CLOSED.stopped, "the workspace stops")
  }
  return {
    announce: (reason: string, at: number | null) => {
      clearTimeout(timer)
      const wait = at === null ? 0 : at - options.now()
      if (wait <= 0) return stop(reason)
      options.events.tell("warning", { reason, at: new Date(options.now() + wait).toISOString() })
      timer = setTimeout(() => stop(reason), Math.min(wait, MAX_WAIT))
      timer.unref()
    },
    /** Whether the stop that ends this agent was announced. */
    isDue: () => due,
    close: () => clearTimeout(timer),
  }
}
