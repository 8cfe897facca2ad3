import { admits } from "../../workspaces/transitions.ts"
import { MOST_NAME } from "../../workspaces/wishes.ts"
import { field, postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import type { WorkspaceModel } from "./model.ts"

/** Spans a workspace can be kept on for, in hours, with their words. */
export const KEEP_SPANS: readonly (readonly [number, string])[] = [
  [8, "8 hours"],
  [24, "a day"],
  [72, "3 days"],
  [168, "a week"],
  [720, "30 days"],
]

/** Its name, and how long it stays on. */
export function settingsSection({ view, csrf, autoStop, keepOnUntil, errors, now = Date.now() }: WorkspaceModel): Html {
  const { id, name } = view.workspace
  const action = (what: string) => `/workspaces/${encodeURIComponent(id)}/${what}`
  // Whoever comes from here comes back to here.
  const hidden = { back: "workspace" }
  // Where its use is explained, these two stand there.
  const isShown = view.activity !== null && admits(view.workspace.state)
  const kept = keepOnUntil !== null && keepOnUntil > now ? keepOnUntil : null
  return html`<section class="card section" aria-labelledby="settings"><h2 id="settings">Name and stopping by itself</h2>
${postForm({
  action: action("rename"),
  csrf,
  class: "inline-form level",
  content: html`${field({
    ...{ id: "name", name: "name", label: "Name", value: name, error: errors?.name },
    more: { required: true, maxlength: MOST_NAME, autocomplete: "off", spellcheck: "false" },
  })}<button class="button">Rename</button>`,
})}
<p class="small soft">The name is yours alone to see; its address keeps the id <code>${id}</code>.</p>
${
  !isShown &&
  postForm({
    action: action("auto-stop"),
    csrf,
    hidden: { ...hidden, on: String(!autoStop) },
    content: html`<button ${attributes({ class: "switch", id: "auto-stop", role: "switch", "aria-checked": String(autoStop) })}><span class="track" aria-hidden="true"></span>Stop it when nobody uses it</button>`,
  })
}${
  !isShown && kept !== null
    ? html`<div class="row-line"><p>It is kept on, used or not; that ends ${timeAgo(kept, now)}.</p>
${postForm({ action: action("keep-on"), csrf, hidden: { ...hidden, hours: "0" }, content: html`<button class="button small">Keep on no longer</button>` })}</div>`
    : false
}
${postForm({
  action: action("keep-on"),
  csrf,
  hidden,
  class: "inline-form",
  content: html`<div class="field"><label for="keep-hours">${kept === null ? "Keep it on, used or not" : "Instead keep it on for"}</label><select id="keep-hours" name="hours">${KEEP_SPANS.map(
    ([hours, words]) => html`<option value="${hours}">${words}</option>`,
  )}</select></div><button class="button">Keep on</button>`,
})}</section>`
}
