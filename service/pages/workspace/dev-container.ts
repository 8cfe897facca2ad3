import { choicesOf, type Fetch } from "../../machines/fetch.ts"
import { admits } from "../../workspaces/transitions.ts"
import { postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import type { WorkspaceModel } from "./model.ts"

type Container = NonNullable<Fetch["container"]>

/** The dev container of its repository. What scripts put anew is there from the beginning, so that it can come. */
export function devContainerSection({ view, csrf }: WorkspaceModel): Html | false {
  const { id, state, repository, fetch } = view.workspace
  const container = fetch?.container
  if (repository === null) return false
  const action = admits(state) ? { action: `/workspaces/${encodeURIComponent(id)}/devcontainer`, csrf } : null
  return html`<div id="dev-container">${container !== undefined && section(container, action)}</div>`
}

function section(container: Container, form: { action: string; csrf: string } | null): Html {
  const isMade = container.state === "starting" || container.state === "building"
  return html`<section class="card section" aria-labelledby="dev-container-name"><h2 id="dev-container-name">Dev container</h2>
${words(container)}
${form !== null && !isMade && again(container, form)}</section>`
}

/** What was said of it last, as it goes on; an older agent tells one line. */
function saidOf({ line, log = line }: Container): Html | false {
  return log !== undefined && html`<div class="log-end" tabindex="0"><pre>${log}</pre></div>`
}

/** How far it is. */
function words(container: Container): Html {
  const config = html`<code>${container.config ?? ""}</code>`
  switch (container.state) {
    case "starting":
    case "building":
      return html`<p>${container.config === undefined ? "It is being made." : html`It is being made from ${config}.`} Terminals in the repository wait for it and show all that is said of it.</p>${saidOf(container)}`
    case "running":
      return html`<p>Terminals in the repository begin in it. It is made from ${config}.</p>`
    case "choose":
      return html`<p>${container.config === undefined ? "The repository has several, and does not say which is meant." : html`The repository has no ${config}.`} Until you have chosen one, terminals begin on the machine.</p>`
    case "failed":
      return html`<p>It could not be made, so terminals begin on the machine, which has all that it has without one.</p>${container.reason !== undefined && html`<p class="reason">${container.reason}</p>`}${container.log !== undefined && html`<h3>What was said last</h3><div class="log-end" tabindex="0"><pre>${container.log}</pre></div>`}<p class="small soft">All of it is in <code>~/.local/state/foozol/devcontainer.log</code>. Mend its files in a terminal, then make it again.</p>`
    default:
      return html`<p>It has ended, so terminals begin on the machine.</p>`
  }
}

/** The one that is chosen, or the same anew. */
function again(container: Container, form: { action: string; csrf: string }): Html | false {
  const choices = choicesOf(container)
  const isFirst = container.state === "choose"
  if (isFirst && choices.length === 0) {
    return html`<p class="small soft">Begin one in a terminal: <code>devcontainer-again</code> and the path of its devcontainer.json.</p>`
  }
  const [kind, label] = isFirst ? ["button primary", "Make it"] : ["button", "Make it again"]
  const button = html`<button class="${kind}">${choices.length > 1 && !isFirst ? "Make this one" : label}</button>`
  const choice = html`<div class="field grow"><label for="devcontainer">Which one</label><select ${attributes({ id: "devcontainer", name: "devcontainer" })}>${choices.map(one => html`<option ${attributes({ value: one, selected: one === container.config })}>${labelOf(one)}</option>`)}</select></div>`
  return html`${postForm({ ...form, class: "inline-form", content: choices.length > 0 ? html`${choice}${button}` : button })}${!isFirst && html`<p class="small soft">What was changed in the one before is lost, except in the repository and in what coding agents know.</p>`}`
}

/** What tells it from the others comes first: a narrow screen shows no more. */
function labelOf(path: string): string {
  const [, folder, file] = path.split("/")
  return file === undefined ? path : `${folder} (${path})`
}
