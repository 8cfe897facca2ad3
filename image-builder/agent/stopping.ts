import { STREAM_CLOSED } from "./admission.ts"
import type { Relay } from "./relay/relay.ts"
import type { ViewerEvents } from "./viewer-events.ts"

/** Longest time a timer of Node can wait. */
const MAX_WAIT = 2 ** 31 - 1

/**
 * Warns the viewers of a stop that is planned, and sends them away when it is due. A newer word replaces an older.
 * Whoever has used the desktop since the warning is not sent away by it: the service hears of that before it stops
 * anything, and if it stops all the same, it says so without a time. Of a plan the reason follows "because", else it is
 * a sentence.
 */
export function createStopping(options: { relay: Relay; events: ViewerEvents; now: () => number }) {
  let timer: NodeJS.Timeout | undefined
  let due = false
  let planned = false
  const stop = (reason: string) => {
    due = true
    planned = false
    options.events.tell("sleeping", () => ({ reason }))
    options.relay.closeAll(STREAM_CLOSED.stopped, "the workspace stops")
  }
  return {
    announce: (reason: string, at: number | null) => {
      clearTimeout(timer)
      const wait = at === null ? 0 : at - options.now()
      if (wait <= 0) return stop(reason)
      const announcedAt = options.now()
      const end = announcedAt + wait
      // How long from now is right in the viewer too, whatever this machine's clock shows.
      options.events.tell("warning", () => {
        return { reason, at: new Date(end).toISOString(), inMs: Math.max(0, end - options.now()) }
      })
      planned = true
      timer = setTimeout(
        () => {
          if ((options.relay.lastInputAt() ?? 0) < announcedAt) stop(`It was stopped because ${reason}.`)
        },
        Math.min(wait, MAX_WAIT),
      )
      timer.unref()
    },
    /** What was announced does not come. */
    callOff: () => {
      clearTimeout(timer)
      due = false
      if (planned) options.events.tell("stay")
      planned = false
    },
    /** Whether the stop that ends this agent was announced. */
    isDue: () => due,
    close: () => clearTimeout(timer),
  }
}
