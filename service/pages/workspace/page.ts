import { isOver } from "../../operations/operation.ts"
import { admits, isMoving } from "../../workspaces/transitions.ts"
import { notice } from "../controls.ts"
import { document } from "../document.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { operationTitle } from "../operation-words.ts"
import { stateBadge, stateWords } from "../state-badge.ts"
import { timeAgo } from "../time.ts"
import { activityPart, nextChange } from "../workspace-activity.ts"
import { cost, failureWords, profileLabel, progressPart, stateText } from "../workspace-card.ts"
import { agentsSection } from "./agents.ts"
import { backupForm, backupRows } from "./backup-rows.ts"
import { certificateWords } from "./certificate.ts"
import { devContainerSection } from "./dev-container.ts"
import { homeSection } from "./home-backups.ts"
import type { WorkspaceModel } from "./model.ts"
import { pastSection } from "./past.ts"
import { regionSection, sizeSection } from "./places.ts"
import { portsSection } from "./ports.ts"
import { fetchMark, isFetching, repositoryWords } from "./repository.ts"
import { secretsSection } from "./secrets.ts"
import { settingsSection } from "./settings.ts"
import { powerSection } from "./stop-section.ts"

/** All there is to see and to do about one workspace. Everything works without scripts. */
export function workspacePage(model: WorkspaceModel): string {
  const { user, csrf, view, now = Date.now() } = model
  const { workspace, operation, activity } = view
  const { id, name, state } = workspace
  const goesOn = operation !== null && !isOver(operation) ? operation.id : null
  const moving = isMoving(state) || goesOn !== null
  const change = activity && nextChange(activity)
  const isAtRest = admits(state) || state === "STOPPED"
  return document({
    title: name,
    signedIn: { user, csrf },
    scripts: ["live-dashboard", "live-agents"],
    layout: "narrow",
    ...(moving || isFetching(workspace) ? { refresh: 5 } : {}),
    body: html`<p class="back"><a href="/">Your workspaces</a></p>
${model.notice !== undefined && notice(model.notice)}
<div ${attributes({ id: "workspaces", "data-moving": moving, "data-now": now, "data-only": id, "data-operation": goesOn, "data-changes": change })}>
<div ${attributes({ class: "workspace-page", "data-workspace": id, "data-state": state, "data-name": name, "data-state-label": stateWords(workspace).label })}>
<div class="page-head"><h1>${name}</h1>${stateBadge(workspace)}</div>
${overview(model, now)}
${devContainerSection(model)}
${agentsSection(model)}
${portsSection(model)}
${powerSection(model)}
${backups(model, now)}
${homeSection(model, now)}
${isAtRest && html`${sizeSection(model)}${regionSection(model)}`}
${state !== "TERMINATING" && state !== "TERMINATED" && html`${secretsSection(model)}${settingsSection(model)}`}
${pastSection(model.operations, now)}
${state !== "TERMINATING" && state !== "TERMINATED" && html`<p class="actions end"><a class="button quiet danger" href="/workspaces/${id}/delete">${icon("trash")}Delete this workspace</a></p>`}
</div></div>
<p id="changes" class="visually-hidden" role="status"></p>`,
  })
}

function overview({ view, csrf }: WorkspaceModel, now: number): Html {
  const { workspace, operation, activity } = view
  const { id, name, state } = workspace
  const goesOn = operation !== null && !isOver(operation)
  return html`<section class="card section" aria-label="How it is">
<p>${stateText(workspace, now)}</p>
${isMoving(state) && goesOn && progressPart(operation, name, now)}${
  !isMoving(state) &&
  goesOn &&
  html`<p>${icon("clock")} <a href="/operations/${operation.id}">${operationTitle(operation, name)}</a> goes on.</p>`
}${workspace.failure !== null && failureWords(workspace.failure.message)}${
  activity !== null && admits(state) && activityPart(activity, { id, name, csrf, now, back: "workspace" })
}
<dl class="facts">
<div><dt>Profile</dt><dd>${profileLabel(workspace.profile)}</dd></div>
${workspace.repository !== null && html`<div><dt>Repository</dt><dd ${attributes({ id: "repository", "data-fetch": fetchMark(workspace), "data-moves": isFetching(workspace) })}>${repositoryWords(workspace.repository, workspace.fetch)}</dd></div>`}
<div><dt>Size</dt><dd>${view.sizeLabel} <span class="soft"><code>${workspace.size}</code></span></dd></div>
<div><dt>Region</dt><dd>${view.regionLabel ?? workspace.region}</dd></div>
<div><dt>Cost</dt><dd>${cost(view)}</dd></div>
<div><dt>Address</dt><dd>${view.address.replace(/^https:\/\//, "")}</dd></div>
${
  workspace.backups?.lastProven != null &&
  html`<div><dt>Last proven restore</dt><dd>${timeAgo(workspace.backups.lastProven, now)}</dd></div>`
}${workspace.certificate !== null && html`<div><dt>Certificate</dt><dd>${certificateWords(workspace.certificate, now, workspace.certificateWait)}</dd></div>`}
<div><dt>Created</dt><dd>${timeAgo(workspace.createdAt, now)}</dd></div>
</dl>
${
  (admits(state) || state === "FAILED") &&
  html`<div class="actions">${admits(state) && html`<a class="button primary" href="/connect?workspace=${id}" target="_blank" rel="noopener">Open desktop${icon("external")}<span class="visually-hidden"> in a new tab</span></a><a class="button" href="/connect?workspace=${id}&amp;to=terminal" target="_blank" rel="noopener">Open terminal${icon("external")}<span class="visually-hidden"> in a new tab</span></a><a class="button" href="/connect?workspace=${id}&amp;to=files" target="_blank" rel="noopener">Files${icon("external")}<span class="visually-hidden"> in a new tab</span></a><a class="button" href="/connect?workspace=${id}&amp;to=agents" target="_blank" rel="noopener">Agents${icon("external")}<span class="visually-hidden"> in a new tab</span></a>`}${
    state === "FAILED" &&
    operation !== null &&
    html`<a class="button primary" href="/operations/${operation.id}">See why, and try again</a>`
  }</div>`
}</section>`
}

function backups(model: WorkspaceModel, now: number): Html | false {
  const { view, backups, csrf, errors } = model
  const { id, state, snapshot } = view.workspace
  if (state === "PROVISIONING" || state === "TERMINATED") return false
  const isAtRest = admits(state) || state === "STOPPED"
  const restores = isAtRest || state === "FAILED"
  return html`<section class="card section" aria-labelledby="backups"><h2 id="backups">Backups</h2>
${
  backups === null
    ? html`<p class="soft">The provider does not answer at the moment: load the page again in a minute.</p>`
    : backups.length === 0
      ? html`<p class="soft">There is none yet.</p>`
      : backupRows(backups, { now, into: restores ? id : undefined })
}
${
  snapshot !== null
    ? html`<p class="small soft">It is asleep: the snapshot it sleeps in is its newest state. It can be backed up again when it is awake.</p>`
    : isAtRest && backupForm(id, csrf, errors?.backup)
}
<p class="small soft">A backup is the whole disk, made while the workspace is at work. What you make yourself is kept until you remove it. Those of deleted workspaces are under <a href="/backups">All backups</a>.</p></section>`
}
