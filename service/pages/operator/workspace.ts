import type { DriftView } from "../../drift/drift.ts"
import { isOver } from "../../operations/operation.ts"
import type { Dossier } from "../../operators/desk.ts"
import { ACTIONS, type Action, type Plan } from "../../operators/plan.ts"
import { isSpare } from "../../warm/words.ts"
import { field, postForm } from "../controls.ts"
import { document } from "../document.ts"
import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import type { SignedIn } from "../models.ts"
import { stateBadge } from "../state-badge.ts"
import { timeAgo } from "../time.ts"
import { duration } from "../words.ts"
import { faultWords, requester } from "./operations.ts"
import { type OperatorShell, operatorPage, wideTable } from "./shell.ts"
import { workspaceDrift } from "./workspace-drift.ts"

export interface OperatorWorkspaceModel extends OperatorShell {
  dossier: Dossier
  plans: Record<Action, Plan>
  outdated: boolean
  /** What the newest look has found; null: it was never looked at. */
  drift: DriftView | null
  /** Does nothing go on with it, so that it can be looked at and repaired? */
  isAtRest: boolean
  /** Login names by user id. */
  logins: ReadonlyMap<string, string>
}

const LABELS: Record<Exclude<Action, "destroy">, string> = {
  ...{ stop: "Stop", start: "Start", retry: "Try again", backup: "Back up" },
}

/** Everything about one workspace of somebody's, and what can be done to it. */
export function operatorWorkspacePage(model: OperatorWorkspaceModel): string {
  const { dossier, drift, isAtRest, now = Date.now() } = model
  const { workspace } = dossier
  return operatorPage(model, {
    tab: "fleet",
    title: workspace.name,
    live: html`<section class="card section" aria-label="How it is">
<p>${stateBadge(workspace)} <span class="soft">since ${timeAgo(workspace.since, now)}</span></p>
${workspace.failure !== null && html`<div class="card-failure">${icon("alert")}<p>${workspace.failure.message} <code>${workspace.failure.id}</code></p></div>`}
${facts(model, now)}${actions(model)}</section>
${workspace.state !== "TERMINATED" && workspaceDrift({ workspace: workspace.id, csrf: model.csrf, drift, isAtRest }, now)}
${machines(dossier)}${operations(model, now)}`,
  })
}

function facts({ dossier, outdated }: OperatorWorkspaceModel, now: number): Html {
  const { workspace, owner, locks, leased } = dossier
  const { id, profile, size, region, image, epoch, backups, reportedAt, snapshot, unsavedSince } = workspace
  const row = (label: string, value: Html | string) => html`<div><dt>${label}</dt><dd>${value}</dd></div>\n`
  return html`<dl class="facts wide-facts">
${row("Id", html`<code>${id}</code>`)}
${row("Owner", isSpare(workspace) ? "nobody: a spare machine" : owner === null ? workspace.owner : html`<a href="/operator/users/${owner.id}">${owner.login}</a> <code class="soft">${owner.id}</code>${owner.suspended !== null && html` <span class="badge bad">Suspended</span>`}`)}
${row("Profile", profile)}${row("Size", html`${size} in ${region}`)}
${row("Image", html`${image}${outdated && html` <span class="soft">there is a newer one</span>`}`)}
${row("Machine", html`${workspace.machineId ?? "none"}${workspace.ipv4 !== null && html` <span class="soft">${workspace.ipv4}</span>`}`)}
${snapshot !== null && row("Sleeps in", html`snapshot ${snapshot}`)}
${row("Epoch", String(epoch))}
${row("Last report", reportedAt === null ? "none" : timeAgo(reportedAt, now))}
${row("Backup", backups?.last == null ? "none" : timeAgo(backups.last, now))}
${row("Proven", backups?.lastProven == null ? "never" : timeAgo(backups.lastProven, now))}
${row("Not backed up", unsavedSince === null ? "nothing" : html`what was done since ${timeAgo(unsavedSince, now)}`)}
${row("Worker", leased ? "one is at it" : "none is at it")}
${row("Lock", locks === null ? "its backend tells of no locks" : locks.length === 0 ? "not held" : locks.map(one => `held by process ${one.pid} of ${one.hostname}`).join(", "))}
</dl>`
}

function actions({ dossier, plans, csrf }: OperatorWorkspaceModel): Html {
  const { id } = dossier.workspace
  const possible = ACTIONS.filter(action => action !== "destroy" && plans[action].kind !== null)
  return html`<div class="actions">${possible.map(action =>
    action === "destroy"
      ? false
      : postForm({
          action: `/operator/workspaces/${id}/${action}`,
          csrf,
          content: html`<button class="button">${LABELS[action]}</button>`,
        }),
  )}<a class="button quiet" href="/operator/workspaces/${id}/stack">Stack</a><a class="button quiet" href="/operator/audit?workspace=${id}">Audit</a>${
    plans.destroy.kind !== null &&
    html`<a class="button quiet danger" href="/operator/workspaces/${id}/destroy">${icon("trash")}Destroy</a>`
  }</div>`
}

function machines({ machines }: Dossier): Html {
  return html`<section class="card section" aria-labelledby="machines"><h2 id="machines">At the provider</h2>
${
  machines === null
    ? html`<p class="soft">The provider does not answer at the moment.</p>`
    : machines.length === 0
      ? html`<p class="soft">No machine carries its label.</p>`
      : wideTable(
          "Machines",
          ["Machine", "State", "Size", "Region", "Address", "Epoch"],
          machines.map(one => ({
            cells: [one.id, one.state, one.size, one.region, one.ipv4 ?? "none", one.labels["foozol-epoch"] ?? "none"],
          })),
        )
}</section>`
}

function operations({ dossier: { operations }, logins }: OperatorWorkspaceModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="operations"><h2 id="operations">Operations</h2>
${
  operations.length === 0
    ? html`<p class="soft">There was none, or they are forgotten.</p>`
    : wideTable(
        "Operations",
        ["What", "State", "When", "Took", "Asked for by", "Why it failed"],
        operations.map(one => ({
          cells: [
            one.kind,
            one.state,
            timeAgo(one.createdAt, now),
            one.startedAt !== null && isOver(one) ? duration((one.finishedAt ?? now) - one.startedAt) : "–",
            requester(one, logins),
            one.state === "failed" ? faultWords(one) : "–",
          ],
        })),
      )
}</section>`
}

export interface DestroyModel extends SignedIn {
  workspace: Dossier["workspace"]
  login: string
  keptDays: number
  error?: string
}

/** Asks for a workspace's id before an operator destroys it. */
export function destroyPage({ user, csrf, workspace, login, keptDays, error }: DestroyModel): string {
  const { id, name } = workspace
  return document({
    title: `Destroy ${name}`,
    signedIn: { user, csrf },
    scripts: ["confirm"],
    layout: "center",
    body: html`<section class="card dialog">
<span class="round bad">${icon("trash")}</span>
<h1>Destroy ${name} of ${login}?</h1>
<p>Its machine, disk and address are given back. ${keptDays === 0 ? "No snapshot is kept: this cannot be undone." : `A last snapshot is kept for ${keptDays} days.`}</p>
${postForm({
  action: `/operator/workspaces/${encodeURIComponent(id)}/destroy`,
  csrf,
  class: "stack",
  content: html`${field({
    ...{ id: "confirm", name: "confirm", label: "Type the workspace's id to confirm", error },
    hint: html`Its id is <strong class="name" id="expected">${id}</strong>`,
    more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
  })}
<div class="actions"><button class="button danger-fill" id="delete" data-confirmed>${icon("trash")}Destroy it</button><a class="button quiet" href="/operator/workspaces/${id}">Leave it</a></div>`,
})}
</section>`,
  })
}
