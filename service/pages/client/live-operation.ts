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

function start(): void {
  /** Milliseconds this clock is ahead of the service's. */
  const ahead = Date.now() - Number(now)
  const expected = JSON.parse(estimate) as Expected
  let timeline: Timeline = { ...(JSON.parse(rendered) as Omit<Timeline, "log">), log: [] }
  let heard = false
  let settling = false
  let waiting = false
  let looking = false
  let isNewer = false
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
      // What a step took is known in parts when it is over.
      else if (event.type === "step" && event.state === "done") void showTimes()
    },
    trouble(lost) {
      const trouble = document.getElementById("trouble")
      if (trouble !== null) trouble.hidden = !lost || !moves(timeline.state)
      // What closed the stream may be the end of the operation, or of the login.
      if (lost) void settle(() => false)
    },
  })

  /** One look at a time: whoever comes late is told of many steps at once. */
  async function showTimes(): Promise<void> {
    isNewer = true
    if (looking) return
    looking = true
    while (isNewer) {
      isNewer = false
      await renew("times")
    }
    looking = false
  }

  /**
   * Asks the service for the end, as long as there seems to be one: the stream may be ahead of what the page is made
   * from, and an end that is told again may have been followed by another attempt.
   */
  async function settle(again: () => boolean): Promise<void> {
    if (settling) return
    settling = true
    do {
      if (await renew("operation", [], fresh => !moves(fresh.dataset.state))) {
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

/** Where `?open=` leads after success, with what is said then. */
const OPENS = new Map([
  ["1", { to: "", said: "Your desktop is ready and opens now." }],
  ["terminal", { to: "&to=terminal", said: "Your terminals are ready and open now." }],
  ["files", { to: "&to=files", said: "Your files are ready and open now." }],
  ["agents", { to: "&to=agents", said: "Your agents are ready and open now." }],
])

/** On to where `?open=` says, leaving nothing to come back to that would lead there again. */
function goOn(): void {
  const { state, opens } = shown().dataset
  const opened = OPENS.get(new URLSearchParams(location.search).get("open") ?? "")
  if (state !== "succeeded" || opens === undefined || opened === undefined) return
  announce(opened.said)
  const query = new URLSearchParams({ workspace, after: operation })
  const waited = sinceClick()
  if (waited !== null) query.set("waited", String(waited))
  location.replace(`/connect?${query}${opened.to}`)
}

/**
 * Milliseconds since the click that began all this: this page is where a form has led, and its clock begins with the
 * form's sending. Null: it was come to in another way.
 */
function sinceClick(): number | null {
  const [way] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[]
  return way?.type === "navigate" && way.redirectCount > 0 ? Math.round(performance.now()) : null
}

if (moves(shown().dataset.state)) start()
else goOn()
