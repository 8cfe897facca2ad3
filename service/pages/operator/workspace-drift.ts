import type { Difference } from "../../../infra/drift/difference.ts"
import type { DriftView } from "../../drift/drift.ts"
import { field, postForm } from "../controls.ts"
import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { timeAgo } from "../time.ts"

/** What is known of one workspace's drift, and what can be done about it now. */
export interface WorkspaceDriftModel {
  workspace: string
  csrf: string
  /** Null: it was never looked at. */
  drift: DriftView | null
  /** Is it at rest? Else nobody can say what it shall be at this moment. */
  isAtRest: boolean
}

const MENDS: Record<Difference["mends"], string> = {
  ...{ repair: "A repair mends it.", restore: "It needs a restore.", operator: "It needs a person." },
}

/** What a workspace has at the provider otherwise than it shall: looked at, repaired, or let stay. */
export function workspaceDrift(model: WorkspaceDriftModel, now: number): Html {
  const { drift, isAtRest } = model
  const { differences = [], accepted = [], failure = null, at = null } = drift ?? {}
  const canRepair = isAtRest && differences.some(one => one.mends === "repair")
  return html`<section class="card section" aria-labelledby="drift"><h2 id="drift">Drift</h2>
${failure !== null && html`<div class="card-failure">${icon("alert")}<p>The newest look failed: ${failure.message}</p></div>`}
${
  differences.length > 0
    ? html`<ul class="rows" role="list">${differences.map((one, number) => difference(model, one, number))}</ul>`
    : html`<p class="soft">${at === null ? "It was not looked at yet." : "It is at the provider as it shall be."}</p>`
}
${
  accepted.length > 0 &&
  html`<h3>Let stay</h3><ul class="rows" role="list">${accepted.map(
    one =>
      html`<li><div class="row-main"><p>${one.words}</p><p class="small soft">${one.by}, ${timeAgo(one.at, now)}: ${one.reason}</p>${isAtRest && form(model, "unaccept", html`<button class="button small quiet">Let stay no longer</button>`, { difference: one.id })}</div></li>\n`,
  )}</ul>`
}
<div class="actions">${canRepair && form(model, "repair", html`<button class="button">Repair</button>`)}${
    isAtRest && form(model, "look", html`<button class="button quiet">Look now</button>`)
  }${form(model, "refresh", html`<button class="button quiet">Read into its stack</button>`)}</div>
${at !== null && html`<p class="small soft">Looked at ${timeAgo(at, now)}.</p>`}</section>`
}

function difference(model: WorkspaceDriftModel, { id, words, mends, todo, accept }: Difference, number: number): Html {
  const reason = field({
    ...{ id: `reason-${number}`, name: "reason", label: "Why it shall stay" },
    more: { required: true, maxlength: 500, autocomplete: "off" },
  })
  return html`<li><div class="row-main"><p>${words}</p><p class="small soft">${todo ?? MENDS[mends]}</p>
${
  model.isAtRest &&
  accept !== null &&
  html`<details class="more" id="stay-${number}"><summary>Let it stay${icon("chevron")}</summary><div class="more-body">${form(
    model,
    "accept",
    html`${reason}<div class="actions"><button class="button">Let it stay</button></div>`,
    { difference: id },
    "stack",
  )}</div></details>`
}</div></li>\n`
}

/** The last part of the form's address. */
type DriftForm = "look" | "repair" | "refresh" | "accept" | "unaccept"

const form = (
  { workspace, csrf }: WorkspaceDriftModel,
  what: DriftForm,
  content: Html,
  hidden: Record<string, string> = {},
  kind?: string,
): Html =>
  postForm({
    ...(kind ? { class: kind } : {}),
    action: `/operator/workspaces/${encodeURIComponent(workspace)}/drift/${what}`,
    csrf,
    content,
    hidden,
  })
