import { isOver, type Operation, type OperationEvent, STEPS } from "../operations/operation.ts"
import type { Span } from "../traces/span.ts"
import { isMoving, leadsToDesktop } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { postForm } from "./controls.ts"
import { document } from "./document.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { SignedIn } from "./models.ts"
import { outcome } from "./operation-outcome.ts"
import { stepList } from "./operation-steps.ts"
import { operationTitle, stepWords } from "./operation-words.ts"
import { estimateWords, progressOf } from "./progress.ts"
import { progressBar } from "./progress-bar.ts"
import { beginTimeline, follow, type Timeline } from "./timeline.ts"
import { timesView } from "./times.ts"
import { duration } from "./words.ts"
import type { PlaceOffer } from "./workspace/model.ts"

export interface OperationModel extends SignedIn {
  operation: Operation
  workspace: Workspace
  /** All so far, oldest first. */
  events: OperationEvent[]
  /** What its time was spent on so far, in the order in which that began; nothing is known if left out. */
  spans?: Span[]
  /** Address of the workspace's machine. */
  address: string
  /** Where the workspace can be started instead, when this operation found it sold out. */
  places?: PlaceOffer[]
}

/**
 * How an operation goes, live; and how it ended. With `?open=1` client code goes on to the desktop after success, with `?open=terminal` or `?open=files` to those.
 * Client code listens at `/api/v1/operations/ID/events` and loads this page's part `#operation` again at the end.
 */
export function operationPage(model: OperationModel): string {
  const { user, csrf, operation, workspace, events, spans = [], now = Date.now() } = model
  const over = isOver(operation)
  const timeline = timelineOf(operation, events)
  const title = operationTitle(operation, workspace.name)
  const { log, ...withoutLog } = timeline
  return document({
    title,
    signedIn: { user, csrf },
    scripts: ["live-operation"],
    layout: "narrow",
    ...(over && !isMoving(workspace.state) ? {} : { refresh: 3 }),
    body: html`<p class="back">${operation.kind === "destroy" ? html`<a href="/">Your workspaces</a>` : html`<a href="/workspaces/${workspace.id}">${workspace.name}</a>`}</p>
<section ${attributes({
      id: "operation",
      class: "card operation",
      "aria-labelledby": "title",
      "data-operation": operation.id,
      "data-workspace": workspace.id,
      "data-opens": leadsToDesktop(operation.kind),
      "data-state": operation.state,
      "data-now": now,
      "data-estimate": JSON.stringify(operation.estimate),
      "data-timeline": JSON.stringify(withoutLog),
    })}>
<h1 id="title">${title}</h1>
${operation.wish?.because !== undefined && html`<p class="small soft">It was begun by itself, because ${operation.wish.because}.</p>`}
${over ? outcome(model) : moving(model, timeline, now)}
${stepList(operation.kind, timeline, over ? {} : operation.estimate.steps)}
${timesView(operation, spans)}
${!(over && log.length === 0) && logView(log)}
${!over && operation.kind !== "destroy" && cancel(operation.id, csrf)}
</section>
<p id="announce" class="visually-hidden" role="status" aria-live="polite"></p>`,
  })
}

/** What the events add up to, with the operation itself having the last word on how it ended. */
export function timelineOf(operation: Operation, events: OperationEvent[]): Timeline {
  const { kind, state, startedAt, createdAt } = operation
  const told = events.reduce(follow, beginTimeline(STEPS[kind], startedAt ?? createdAt))
  const timeline = { ...told, state, startedAt: startedAt ?? told.startedAt }
  if (!isOver(operation)) return timeline
  const steps = Object.entries(timeline.steps).map(([name, mark]) => {
    if (state === "succeeded") return [name, { ...mark, state: "done" }]
    return [name, mark.state === "begun" ? { ...mark, state: "failed", endedAt: operation.finishedAt } : mark]
  })
  return { ...timeline, steps: Object.fromEntries(steps) }
}

function moving({ operation }: OperationModel, timeline: Timeline, now: number): Html {
  const progress = progressOf(timeline, operation.estimate, now)
  const step = stepWords(operation.kind, progress.at)
  return html`<div class="live">
${progressBar({ id: "bar", label: "Progress", fraction: progress.fraction, valueText: step })}
<p class="live-words"><span id="estimate">${operation.state === "queued" ? "Waiting for its turn" : estimateWords(operation.estimate.seconds, progress)}</span>
<span class="soft"><span id="elapsed">${duration(progress.elapsedMs)}</span> so far</span></p>
<p class="small soft" id="lately">${timeline.log.at(-1)?.text}</p>
<p class="small soft" id="trouble" hidden>The connection is lost; trying again. The work goes on meanwhile.</p>
</div>`
}

const logView = (
  log: Timeline["log"],
) => html`<details class="log" id="log"><summary>Log <span class="soft" id="log-count">${lines(log.length)}</span>${icon("chevron")}</summary>
<ol id="log-lines" tabindex="0" aria-label="Log">${log.map(line => html`<li><time datetime="${new Date(line.at).toISOString()}">${clock(line.at)}</time> ${line.text}</li>\n`)}</ol></details>`

const cancel = (id: string, csrf: string) =>
  html`<div class="actions end">${postForm({
    action: `/operations/${encodeURIComponent(id)}/cancel`,
    csrf,
    content: html`<button class="button quiet">Cancel</button>`,
  })}</div>`

const lines = (count: number) => (count === 1 ? "1 line" : `${count} lines`)

/** Time of day in UTC. */
const clock = (at: number) => new Date(at).toISOString().slice(11, 19)
