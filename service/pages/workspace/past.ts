import { isOver, type Operation, type OperationState } from "../../operations/operation.ts"
import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { timeAgo } from "../time.ts"
import { duration } from "../words.ts"

/** A kind that is not here is shown by its name. */
const KIND_WORDS: Partial<Record<string, string>> = {
  ...{ create: "Created", start: "Started", stop: "Switched off", destroy: "Deleted", hibernate: "Put to sleep" },
  ...{ wake: "Woken", backup: "Backed up", restore: "Restored", resize: "Given another size", move: "Moved" },
  ...{ upgrade: "Given the newest image", prove: "A backup tried out", repair: "Repaired" },
}
const BADGES: Record<OperationState, readonly [tone: string, words: string]> = {
  queued: ["busy", "Waiting"],
  running: ["busy", "Going on"],
  succeeded: ["good", "Done"],
  failed: ["bad", "Failed"],
  cancelled: ["off", "Cancelled"],
}

/** What was done with it, newest first. */
export function pastSection(operations: Operation[], now: number): Html {
  return html`<details class="more" id="past"><summary>What was done with it${icon("chevron")}</summary><div class="more-body">
<ul class="rows" role="list">${operations.map(one => row(one, now))}</ul></div></details>`
}

function row(operation: Operation, now: number): Html {
  const { id, kind, state, owner, requestedBy, createdAt, startedAt, finishedAt } = operation
  const [tone, words] = BADGES[state]
  const took = isOver(operation) && finishedAt !== null && startedAt !== null ? duration(finishedAt - startedAt) : null
  return html`<li><div class="row-main"><a href="/operations/${id}">${KIND_WORDS[kind] ?? kind}</a> <span class="badge ${tone}">${words}</span>
<p class="small soft">${timeAgo(createdAt, now)}${took !== null && ` · took ${took}`}${requestedBy !== owner && (requestedBy.startsWith("gh-") ? " · by an operator" : " · by itself")}</p></div></li>\n`
}
