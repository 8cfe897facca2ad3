import { isMoving } from "../workspaces/transitions.ts"
import { notice } from "./controls.ts"
import { document } from "./document.ts"
import { attributes, html } from "./html.ts"
import { icon, mark } from "./icons.ts"
import type { Notice, SignedIn, WorkspaceView } from "./models.ts"
import { agentsAttributes } from "./workspace/agents.ts"
import { nextChange } from "./workspace-activity.ts"
import { workspaceCard } from "./workspace-card.ts"

export interface DashboardModel extends SignedIn {
  workspaces: WorkspaceView[]
  /** Workspaces of the profile desktop one may have, in all, and how many there are. */
  quota: { desktop: number; total: number; used: number }
  notice?: Notice
}

/** The user's workspaces. */
export function dashboardPage(model: DashboardModel): string {
  const { user, csrf, workspaces, quota, now = Date.now() } = model
  const moving = workspaces.some(({ workspace }) => isMoving(workspace.state))
  const changes = workspaces.flatMap(({ activity }) => (activity && nextChange(activity)) ?? [])
  return document({
    title: "Your workspaces",
    signedIn: { user, csrf },
    scripts: ["live-dashboard", "live-agents"],
    ...(moving ? { refresh: 5 } : {}),
    body: html`${model.notice !== undefined && notice(model.notice)}
<div class="page-head"><h1>Your workspaces</h1>${workspaces.length > 0 && create(quota)}</div>
<div ${attributes({ id: "workspaces", "data-moving": moving, "data-now": now, "data-changes": changes.length > 0 ? Math.min(...changes) : null, ...agentsAttributes(workspaces.flatMap(({ agents }) => agents ?? [])) })}>
${
  workspaces.length === 0
    ? empty()
    : html`<ul class="cards" role="list">${workspaces.map(view => html`<li>${workspaceCard(view, { csrf, now })}</li>\n`)}</ul>
<p class="small soft">${quota.used} of ${quota.total} workspaces used.${quota.used >= quota.total && " Delete one to create another."}</p>`
}
</div>
<p id="changes" class="visually-hidden" role="status"></p>`,
  })
}

const create = ({ used, total }: DashboardModel["quota"]) =>
  used < total
    ? html`<a class="button primary" href="/workspaces/new">${icon("plus")}New workspace</a>`
    : html`<span class="button" aria-disabled="true" role="link">${icon("plus")}New workspace</span>`

const empty = () => html`<section class="empty">
${mark()}
<h2>No workspace yet</h2>
<p>A workspace is a computer of your own: its desktop opens in a tab and goes on working when you close it.</p>
<p><a class="button primary large" href="/workspaces/new">${icon("plus")}Create your first workspace</a></p>
</section>`
