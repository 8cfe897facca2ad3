/// <reference lib="dom" />
import { type Expected, progressOf } from "../progress.ts"
import { beginTimeline, follow, type Timeline } from "../timeline.ts"
import { setText } from "./bar.ts"
import { followEvents } from "./event-stream.ts"
import { renew } from "./fragment.ts"
import { paintLog, paintOperation } from "./paint-operation.ts"

/** Shows an operation as it goes, and its end as the service renders it. */

const shown = () => document.getElementById("operation") as HTMLElement
const announce = (text: string) => setText(document.getElementById("announce"), text)
const moves = (state: string | undefined) => state === "queued" || state === "running"

const { operation = "", workspace = "", now = "", estimate = "", timeline: rendered = "" } = shown().dataset

if (moves(shown().dataset.state)) start()
else goOn()

function start(): void {
  /** Milliseconds this clock is ahead of the service's. */
  const ahead = Date.now() - Number(now)
  const expected = JSON.parse(estimate) as Expected
  let timeline: Timeline = { ...(JSON.parse(rendered) as Omit<Timeline, "log">), log: [] }
  let heard = false
  let settling = false
  let waiting = false
  /** The bar never goes back. */
  let furthest = 0

  const paint = () => {
    waiting = false
    const progress = progressOf(timeline, expected, Date.now() - ahead)
    furthest = Math.max(furthest, progress.fraction)
    paintOperation(timeline, progress, expected, furthest)
    // Until the stream has begun to tell, the log is the one the page came with.
    if (heard) paintLog(timeline.log)
  }
  const ticking = setInterval(paint, 250)

  const stream = followEvents(`/api/v1/operations/${encodeURIComponent(operation)}/events`, {
    event(event) {
      // The stream tells everything from the beginning, so what the page came with is put aside.
      if (!heard) timeline = beginTimeline(Object.keys(timeline.steps), timeline.startedAt)
      heard = true
      timeline = follow(timeline, event)
      if (!waiting) requestAnimationFrame(paint)
      waiting = true
      if (!moves(timeline.state)) void settle(() => !moves(timeline.state))
    },
    trouble(lost) {
      const trouble = document.getElementById("trouble")
      if (trouble !== null) trouble.hidden = !lost || !moves(timeline.state)
      // What closed the stream may be the end of the operation, or of the login.
      if (lost) void settle(() => false)
    },
  })

  /**
   * Asks the service for the end, as long as there seems to be one: the stream may be ahead of what the page is made
   * from, and an end that is told again may have been followed by another attempt.
   */
  async function settle(again: () => boolean): Promise<void> {
    if (settling) return
    settling = true
    do {
      if (await renew("operation", fresh => !moves(fresh.dataset.state))) {
        stream.close()
        clearInterval(ticking)
        announce(document.getElementById("title")?.textContent ?? "")
        return goOn()
      }
      await new Promise(resolve => setTimeout(resolve, 1_000))
    } while (again())
    settling = false
  }
}

/** With `?open=1` on to the desktop, with `?open=terminal` to the terminals, leaving nothing to come back to that would lead there again. */
function goOn(): void {
  const { state, opens } = shown().dataset
  const open = new URLSearchParams(location.search).get("open")
  if (state !== "succeeded" || opens === undefined || (open !== "1" && open !== "terminal")) return
  announce(open === "terminal" ? "Your terminals are ready and open now." : "Your desktop is ready and opens now.")
  location.replace(`/connect?workspace=${encodeURIComponent(workspace)}${open === "terminal" ? "&to=terminal" : ""}`)
}
