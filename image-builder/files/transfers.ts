/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"
import { Refusal } from "./api.ts"
import { textIn } from "./entries.ts"
import type { Given } from "./given.ts"
import { createTakenQuestion } from "./taken.ts"
import { discard, upload } from "./upload.ts"
import { countWords, joined, sizeWords, spanWords } from "./words.ts"

/** Of which the workspace has some, as it tells; see file-server/uploads.ts. */
export interface Unfinished {
  folder: string
  name: string
  size: number
  modified: number
  offset: number
}

interface Job {
  file: File
  folder: string
  name: string
  state: "waits" | "runs" | "failed"
  arrived: number
  why: string
  stop: AbortController
  taken: ReturnType<ReturnType<typeof createTakenQuestion>>
}

/** Files that are sent at a time: a folder of small ones is held up by answers, not by the line. */
const AT_ONCE = 3
/** Lines that are shown. */
const SHOWN = 6
/** So long the panel stays when all is over, in ms, and so often it is drawn. */
const [STAYS_MS, DRAW_MS] = [6_000, 200]

/** What is being uploaded, one after the other, and what was begun earlier. */
export function createTransfers(acts: {
  /** A file has arrived in a folder. */
  arrived: (folder: string) => void
  connected: () => Promise<void>
  /** Somebody wants to choose a file again. */
  chooseAgain: () => void
}) {
  const panel = element("transfers")
  const question = createTakenQuestion()
  let jobs: Job[] = []
  let unfinished: Unfinished[] = []
  let [done, doneBytes, startedAt, startedWith] = [0, 0, 0, 0]
  let timer: ReturnType<typeof setTimeout> | undefined
  let closing: ReturnType<typeof setTimeout> | undefined

  const open = () => jobs.filter(({ state }) => state !== "failed")
  const isSame = (one: Unfinished, { file, folder, name }: Pick<Job, "file" | "folder" | "name">) =>
    one.size === file.size && one.modified === file.lastModified && one.folder === folder && one.name === name

  function add(folder: string, { files }: Given): void {
    const taken = question(files.length)
    if (open().length === 0) {
      ;[done, doneBytes, startedAt] = [0, 0, Date.now()]
      startedWith = 0
    }
    for (const { file, path } of files) {
      // What was begun goes on where it was going to.
      const before = unfinished.find(one => {
        const isIt = one.size === file.size && one.modified === file.lastModified
        return isIt && one.name.replace(/^.*\//, "") === path.replace(/^.*\//, "")
      })
      const job: Job = {
        ...{ file, folder: before?.folder ?? folder, name: before?.name ?? path, why: "", taken },
        ...{ state: "waits", arrived: before?.offset ?? 0, stop: new AbortController() },
      }
      startedWith += job.arrived
      jobs = jobs.filter(old => old.state !== "failed" || joined(old.folder, old.name) !== joined(job.folder, job.name))
      jobs.push(job)
      unfinished = unfinished.filter(one => one !== before)
    }
    goOn()
  }

  function goOn(): void {
    const running = jobs.filter(({ state }) => state === "runs").length
    for (const job of jobs.filter(({ state }) => state === "waits").slice(0, AT_ONCE - running)) void run(job)
    draw()
  }

  async function run(job: Job): Promise<void> {
    job.state = "runs"
    const { file, folder, name, stop } = job
    try {
      const sent = await upload(
        { file, folder, name },
        {
          signal: stop.signal,
          progress: arrived => {
            job.arrived = arrived
            drawSoon()
          },
          taken: refusal => job.taken(name, refusal),
          connected: acts.connected,
        },
      )
      jobs = jobs.filter(one => one !== job)
      if (sent !== null) {
        done++
        doneBytes += file.size
        acts.arrived(folder)
      }
    } catch (error) {
      if (stop.signal.aborted) jobs = jobs.filter(one => one !== job)
      else {
        job.state = "failed"
        job.why = error instanceof Refusal ? error.message : "It could not be sent."
      }
    }
    goOn()
  }

  /** Ends a job, and forgets what has arrived. */
  async function end(job: Job): Promise<void> {
    job.stop.abort()
    jobs = jobs.filter(one => one !== job)
    goOn()
    const { file, folder, name } = job
    await discard({ folder, name, size: file.size, modified: file.lastModified }).catch(() => {})
  }

  function drawSoon(): void {
    timer ??= setTimeout(draw, DRAW_MS)
  }

  function draw(): void {
    clearTimeout(timer)
    timer = undefined
    clearTimeout(closing)
    const left = open()
    const failed = jobs.filter(({ state }) => state === "failed")
    panel.hidden = jobs.length + unfinished.length === 0 && done === 0
    const total = doneBytes + left.reduce((sum, { file }) => sum + file.size, 0)
    const arrived = doneBytes + left.reduce((sum, job) => sum + job.arrived, 0)
    element("transfers-bar").hidden = left.length === 0
    setBar(element("transfers-bar"), total === 0 ? 0 : arrived / total)
    if (left.length > 0) {
      const seconds = (Date.now() - startedAt) / 1000
      const pace = seconds > 1 ? (arrived - startedWith) / seconds : 0
      element("transfers-title").textContent = `Uploading ${countWords(left.length, "file")}`
      const rest = pace > 0 ? ` · ${sizeWords(pace)}/s · ${spanWords((total - arrived) / pace)} left` : ""
      element("transfers-text").textContent = `${sizeWords(arrived)} of ${sizeWords(total)}${rest}`
    } else if (failed.length > 0) {
      element("transfers-title").textContent = `${countWords(failed.length, "file")} did not arrive`
      element("transfers-text").textContent = done > 0 ? `${countWords(done, "other")} did.` : ""
    } else if (unfinished.length > 0) {
      element("transfers-title").textContent = `${countWords(unfinished.length, "upload")} to go on with`
      element("transfers-text").textContent = "Choose the same file again, or drop it here: it goes on where it was."
    } else {
      element("transfers-title").textContent = `${countWords(done, "file")} uploaded`
      element("transfers-text").textContent = sizeWords(doneBytes)
      closing = setTimeout(close, STAYS_MS)
    }
    element("transfers-end").textContent = left.length > 0 ? "Cancel all" : "Close"
    const lines = [...jobs.filter(job => job.state !== "waits"), ...jobs.filter(job => job.state === "waits")]
    const shown = [...lines.map(jobLine), ...unfinished.map(unfinishedLine)]
    const more = shown.length - SHOWN
    element("transfers-list").replaceChildren(
      ...shown.slice(0, SHOWN),
      ...(more > 0 ? [textIn("li", `and ${more} more`)] : []),
    )
  }

  function jobLine(job: Job): HTMLElement {
    const { file, name, state, arrived, why } = job
    const share = file.size === 0 ? 0 : arrived / file.size
    const said = { waits: "waits", failed: why, runs: `${Math.floor(share * 100)} % of ${sizeWords(file.size)}` }[state]
    const line = lineOf(name, said, state === "waits" ? null : share)
    line.dataset.state = state
    if (state === "failed") {
      const again = () => {
        job.state = "waits"
        job.stop = new AbortController()
        goOn()
      }
      line.append(button("Try again", again))
    }
    line.append(button("×", () => void end(job), `Cancel ${name}`))
    return line
  }

  function unfinishedLine(one: Unfinished): HTMLElement {
    const share = one.size === 0 ? 0 : one.offset / one.size
    const said = `${Math.floor(share * 100)} % of ${sizeWords(one.size)} has arrived in ${one.folder || "the home"}`
    const line = lineOf(one.name, said, share)
    line.dataset.state = "unfinished"
    const forget = () => {
      unfinished = unfinished.filter(other => other !== one)
      draw()
      void discard(one).catch(() => {})
    }
    line.append(button("Choose it", acts.chooseAgain), button("×", forget, `Forget ${one.name}`))
    return line
  }

  function close(): void {
    ;[done, doneBytes] = [0, 0]
    jobs = open()
    unfinished = []
    draw()
  }

  element("transfers-end").addEventListener("click", () => {
    const left = open()
    if (left.length === 0) return close()
    for (const job of left) void end(job)
  })
  window.addEventListener("beforeunload", event => {
    if (open().length > 0) event.preventDefault()
  })

  return {
    add,
    /** What the workspace has of earlier uploads. */
    found: (given: Unfinished[]) => {
      unfinished = given.filter(one => !jobs.some(job => isSame(one, job)))
      draw()
    },
  }
}

function lineOf(name: string, said: string, share: number | null): HTMLElement {
  const line = document.createElement("li")
  const text = document.createElement("div")
  text.append(textIn("span", name), textIn("small", said))
  const bar = document.createElement("div")
  bar.className = "bar"
  bar.append(document.createElement("span"))
  if (share !== null) setBar(bar, share)
  text.append(bar)
  line.append(text)
  return line
}

function setBar(bar: HTMLElement, share: number): void {
  const percent = Math.round(share * 100)
  if (bar.getAttribute("role") === "progressbar") bar.setAttribute("aria-valuenow", String(percent))
  const inside = bar.firstElementChild
  if (inside instanceof HTMLElement) inside.style.width = `${percent}%`
}

function button(text: string, act: () => void, label = text): HTMLElement {
  const one = document.createElement("button")
  one.type = "button"
  one.textContent = text
  if (label !== text) one.setAttribute("aria-label", label)
  one.addEventListener("click", act)
  return one
}
