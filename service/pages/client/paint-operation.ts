/// <reference lib="dom" />
import { type Expected, estimateWords, type Progress } from "../progress.ts"
import { MARK_WORDS, type Timeline } from "../timeline.ts"
import { duration } from "../words.ts"
import { setBar, setText } from "./bar.ts"

const byId = (id: string) => document.getElementById(id)

/** Shows an operation's timeline in the page the service rendered. */
export function paintOperation(timeline: Timeline, progress: Progress, expected: Expected, fraction: number): void {
  const bar = byId("bar")
  if (bar === null) return
  setBar(bar, fraction)
  setText(byId("elapsed"), duration(progress.elapsedMs))
  const words = estimateWords(expected.seconds, progress)
  setText(byId("estimate"), timeline.state === "queued" ? "Waiting for its turn" : words)
  paintSteps(timeline, bar)
}

function paintSteps({ steps }: Timeline, bar: HTMLElement): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-step]")]
  for (const [index, row] of rows.entries()) {
    const mark = steps[row.dataset.step ?? ""]
    if (mark === undefined) continue
    const took = mark.begunAt !== null && mark.endedAt !== null ? mark.endedAt - mark.begunAt : null
    setText(row.querySelector(".step-time"), took === null ? "" : duration(took))
    if (row.dataset.state === mark.state) continue
    row.dataset.state = mark.state
    setText(row.querySelector(".step-words"), MARK_WORDS[mark.state])
    if (mark.state === "begun") row.setAttribute("aria-current", "step")
    else row.removeAttribute("aria-current")
    if (mark.state !== "begun") continue
    const words = `Step ${index + 1} of ${rows.length}: ${row.querySelector(".step-label")?.textContent}`
    bar.setAttribute("aria-valuetext", words)
    setText(byId("announce"), words)
  }
}

/** Adds what is new, and stays at the end if that is what was in view. */
export function paintLog(log: Timeline["log"]): void {
  const list = byId("log-lines")
  if (list === null) return
  // Fewer than shown: the stream began anew.
  if (list.childElementCount > log.length) list.replaceChildren()
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 24
  const fresh = log.slice(list.childElementCount)
  for (const { at, text } of fresh) {
    const item = document.createElement("li")
    const time = document.createElement("time")
    time.dateTime = new Date(at).toISOString()
    time.textContent = time.dateTime.slice(11, 19)
    item.append(time, ` ${text}`)
    list.append(item)
  }
  if (atEnd && fresh.length > 0) list.scrollTop = list.scrollHeight
  // What is waited for now, for those who do not open the log.
  setText(byId("lately"), log.at(-1)?.text ?? "")
  setText(byId("log-count"), log.length === 1 ? "1 line" : `${log.length} lines`)
}
