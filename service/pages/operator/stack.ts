import type { Holder } from "../../../infra/stack-locks.ts"
import type { Workspace } from "../../workspaces/workspace.ts"
import { field, postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { timeAgo } from "../time.ts"
import { type OperatorShell, operatorPage } from "./shell.ts"

export interface StackModel extends OperatorShell {
  workspace: Pick<Workspace, "id" | "name">
  /** Who holds it; null: its backend does not tell. */
  holders: Holder[] | null
  /** What a recovery would mend, a line each; or why nobody can tell. Null while an operation is at it, which mends it itself. */
  recovery: { lines: string[] } | { problem: string } | null
  /** Why nothing can be done by hand now: an operation is at it. */
  busy: string | null
  /** What is wrong with what was typed. */
  error?: string
}

/** What can be done by hand to the engine's record of a workspace, and what that would do. */
export function stackPage(model: StackModel): string {
  const { workspace, busy, now = Date.now() } = model
  return operatorPage(model, {
    tab: "fleet",
    title: `Stack of ${workspace.name}`,
    head: html`<a class="button quiet" href="${pageOf(model)}">Back to the workspace</a>`,
    body: html`${busy !== null && html`<p class="notice info" role="status">${icon("info")}<span>${busy}</span></p>`}
${recovery(model)}${lock(model, now)}${exported(model)}`,
  })
}

const pageOf = ({ workspace }: StackModel) => `/operator/workspaces/${encodeURIComponent(workspace.id)}`

/** Nobody may break in on a run that may live. */
const isFree = ({ holders }: StackModel) => (holders ?? []).every(one => one.isDead)

function recovery(model: StackModel): Html {
  const { recovery: found, busy, csrf } = model
  return html`<section class="card section" aria-labelledby="recovery"><h2 id="recovery">Recovery</h2>
${
  found !== null &&
  ("problem" in found
    ? html`<div class="card-failure">${icon("alert")}<p>What a recovery would mend cannot be told: ${found.problem}</p></div>`
    : html`<p class="soft">A recovery mends what a run that was cut off has left in the engine's record; it makes and removes nothing at the provider. Now:</p><ul>${found.lines.map(line => html`<li>${line}</li>\n`)}</ul>`)
}
${
  busy === null
    ? isFree(model)
      ? html`<div class="actions">${postForm({ action: `${pageOf(model)}/stack/recover`, csrf, content: html`<button class="button">Recover</button>` })}</div>`
      : html`<p class="small soft">While somebody holds it who may live, nothing is mended.</p>`
    : html`<p class="soft">An operation mends what an earlier run has left before it begins.</p>`
}</section>`
}

function lock(model: StackModel, now: number): Html {
  const { holders, busy, csrf } = model
  const canUnlock = holders?.some(one => one.isDead) ?? false
  const canBreak = holders === null || !isFree(model)
  return html`<section class="card section" aria-labelledby="lock"><h2 id="lock">Lock</h2>
${
  holders === null
    ? html`<p class="soft">Its backend does not tell who holds it.</p>`
    : holders.length === 0
      ? html`<p class="soft">Nobody holds it: there is nothing to unlock.</p>`
      : html`<ul class="rows" role="list">${holders.map(one => holder(one, now))}</ul>`
}
${
  busy === null &&
  canUnlock &&
  html`<div class="actions">${postForm({ action: `${pageOf(model)}/stack/unlock`, csrf, content: html`<button class="button">Unlock</button>` })}</div>`
}
${busy === null && canBreak && breaking(model)}</section>`
}

const holder = ({ pid, hostname, takenAt, isDead }: Holder, now: number): Html =>
  html`<li><div class="row-main"><p>Process ${pid} of ${hostname}, since ${timeAgo(takenAt, now)}</p><p class="small soft">${
    isDead ? "It is proven dead: unlocking removes its lock." : "It is not proven dead: unlocking leaves its lock."
  }</p></div></li>\n`

function breaking(model: StackModel): Html {
  const { workspace, csrf, error } = model
  const content = html`<p class="small soft">Two runs at once damage the record: only when you are sure that no run is working on it.</p>
${field({
  ...{ id: "confirm", name: "confirm", label: "Type the workspace's id to confirm", error },
  hint: html`Its id is <strong class="name">${workspace.id}</strong>`,
  more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
})}
<div class="actions"><button class="button danger">Break the lock</button></div>`
  return html`<details ${attributes({ class: "more", id: "break", open: error !== undefined })}><summary>Break the lock, whoever holds it${icon("chevron")}</summary><div class="more-body">${postForm(
    {
      ...{ action: `${pageOf(model)}/stack/unlock`, csrf, class: "stack", content },
      hidden: { force: "true" },
    },
  )}</div></details>`
}

function exported({ workspace }: StackModel): Html {
  const at = `/api/v1/operator/workspaces/${encodeURIComponent(workspace.id)}/stack`
  return html`<section class="card section" aria-labelledby="export"><h2 id="export">Export</h2>
<p class="soft">The record as the engine has it, as a file; secrets in it are encrypted.</p>
<div class="actions"><a class="button quiet" href="${at}" download="${workspace.id}-stack.json">Download</a></div></section>`
}
