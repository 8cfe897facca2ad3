import { isOver, type Operation } from "../operations/operation.ts"
import { admits, isMoving } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { postForm } from "./controls.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { WorkspaceView } from "./models.ts"
import { progressOf } from "./progress.ts"
import { progressBar } from "./progress-bar.ts"
import { stateBadge, stateWords } from "./state-badge.ts"
import { timeAgo } from "./time.ts"
import { wholeTimeline } from "./timeline.ts"
import { duration, money } from "./words.ts"
import { repositoryLabel } from "./workspace/repository.ts"
import { activityPart } from "./workspace-activity.ts"
import { agentsPart } from "./workspace-agents.ts"

interface Around {
  csrf: string
  now: number
}

/** One workspace: how it is, what it is and costs, and what can be done with it. */
export function workspaceCard(view: WorkspaceView, { csrf, now }: Around): Html {
  const { workspace, operation } = view
  const { id, name, state } = workspace
  return html`<article ${attributes({
    class: "card workspace",
    "aria-labelledby": `name-${id}`,
    "data-workspace": id,
    "data-state": state,
    "data-name": name,
    "data-state-label": stateWords(workspace).label,
  })}>
<header><h2 id="name-${id}"><a href="/workspaces/${id}">${name}</a></h2>${stateBadge(workspace)}</header>
<p class="state-text">${stateText(workspace, now)}</p>
${isMoving(state) && operation !== null && !isOver(operation) && progressPart(operation, name, now)}${workspace.failure !== null && failureWords(workspace.failure.message)}${view.activity !== null && admits(state) && activityPart(view.activity, { id, name, csrf, now })}${view.agents !== null && agentsPart(view.agents, id, now)}
<dl class="facts">
<div><dt>Profile</dt><dd>${profileLabel(workspace.profile)}</dd></div>
${workspace.repository !== null && html`<div><dt>Repository</dt><dd>${repositoryLabel(workspace.repository)}</dd></div>`}
<div><dt>Size</dt><dd>${view.sizeLabel}</dd></div>
<div><dt>Region</dt><dd>${view.regionLabel ?? workspace.region}</dd></div>
<div><dt>Cost</dt><dd>${cost(view)}</dd></div>
<div><dt>Created</dt><dd>${timeAgo(workspace.createdAt, now)}</dd></div>
</dl>
${view.stoppedCostNote !== null && state === "STOPPED" && html`<p class="small soft">${view.stoppedCostNote}</p>`}
<footer class="actions">${actions(view, csrf)}</footer>
</article>`
}

export const profileLabel = (profile: Workspace["profile"]) =>
  ({ browser: "Browser and terminal", desktop: "foozol desktop" })[profile]

/** The state in a sentence, with since when. */
export function stateText(workspace: Workspace, now: number): Html {
  const { state, since } = workspace
  const { text } = stateWords(workspace)
  return isMoving(state)
    ? html`${text} <span class="soft" data-since="${since}">${duration(now - since)}</span>`
    : html`${text} <span class="soft">Since ${timeAgo(since, now)}.</span>`
}

/** Why it failed. */
export const failureWords = (message: string) =>
  html`<p class="card-failure">${icon("alert")}<span>${message}</span></p>`

/** What it costs if it runs all month. */
export const cost = ({ costPerMonth }: WorkspaceView) =>
  costPerMonth === null
    ? html`<span class="soft">Unknown</span>`
    : html`${money(costPerMonth.amount, costPerMonth.currency)} <span class="soft">a month, before tax</span>`

/** How far its operation is, by the time earlier ones took; without such a time the bar only says that it moves. */
export function progressPart({ id, kind, estimate, createdAt, startedAt }: Operation, name: string, now: number): Html {
  const from = startedAt ?? createdAt
  const { fraction } = progressOf(wholeTimeline(from), { seconds: estimate.seconds, steps: {} }, now)
  return html`<a class="card-progress" href="/operations/${id}">${progressBar({
    label: `${PROGRESS_LABELS[kind]} ${name}`,
    fraction: estimate.seconds === null ? null : fraction,
    more: { "data-from": from, "data-seconds": estimate.seconds },
  })}<span class="link">Show progress</span></a>`
}

const PROGRESS_LABELS: Record<Operation["kind"], string> = {
  ...{ create: "Creating", start: "Starting", stop: "Stopping", destroy: "Deleting", hibernate: "Stopping" },
  ...{ wake: "Waking", backup: "Backing up", restore: "Restoring", resize: "Resizing", move: "Moving" },
  ...{ upgrade: "Upgrading", repair: "Repairing" },
  prove: "Trying out a backup of",
}

function actions({ workspace, operation }: WorkspaceView, csrf: string): Html {
  const { id, name, state } = workspace
  const post = (action: string, content: Html) => postForm({ action, csrf, content })
  return html`${
    admits(state) &&
    html`<a class="button primary" href="/connect?workspace=${id}" target="_blank" rel="noopener">Open desktop${icon("external")}<span class="visually-hidden"> of ${name} in a new tab</span></a>`
  }${
    state === "STOPPED" && post(`/workspaces/${encodeURIComponent(id)}/start`, button("primary", "play", "Start", name))
  }${admits(state) && post(`/workspaces/${encodeURIComponent(id)}/stop`, button("", "stop", "Stop", name))}${
    state === "FAILED" &&
    operation !== null &&
    html`<a class="button primary" href="/operations/${operation.id}">See why<span class="visually-hidden"> ${name} failed</span></a>`
  }${
    state === "FAILED" &&
    operation !== null &&
    post(`/operations/${encodeURIComponent(operation.id)}/retry`, button("", "retry", "Try again", name))
  }${html`<a class="button quiet" href="/workspaces/${id}">Manage<span class="visually-hidden"> ${name}</span></a>`}${
    state !== "TERMINATING" &&
    state !== "TERMINATED" &&
    html`<a class="button quiet danger icon-only" href="/workspaces/${id}/delete" title="Delete">${icon("trash")}<span class="visually-hidden">Delete ${name}</span></a>`
  }`
}

const button = (kind: string, name: Parameters<typeof icon>[0], label: string, of: string) =>
  html`<button class="button ${kind}">${icon(name)}${label}<span class="visually-hidden"> ${of}</span></button>`
