import type { FleetQuery, Owned } from "../../operators/fleet.ts"
import type { Overview } from "../../operators/overview.ts"
import { isSpare } from "../../warm/words.ts"
import { admitsChores } from "../../weather/judge.ts"
import { PROVIDER_LABELS } from "../../workspaces/providers.ts"
import { STATES } from "../../workspaces/transitions.ts"
import { attributes, type Html, html } from "../html.ts"
import { stateBadge, stateWords } from "../state-badge.ts"
import { timeAgo } from "../time.ts"
import { money } from "../words.ts"
import { type DriftSummary, driftSection } from "./drift.ts"
import { figure, type OperatorShell, operatorPage, query, wideTable } from "./shell.ts"

export interface FleetModel extends OperatorShell {
  overview: Overview
  /** Null: nobody looks for drift. */
  drift: DriftSummary | null
  query: Pick<FleetQuery, "search" | "state">
  found: Owned[]
  /** How many the query selects, and where this page begins. */
  total: number
  page: number
  perPage: number
}

/** Everybody's workspaces, and how all of it stands. */
export function fleetPage(model: FleetModel): string {
  const { now = Date.now(), drift } = model
  return operatorPage(model, {
    tab: "fleet",
    title: "Fleet",
    body: filter(model),
    live: html`${figures(model.overview, now)}${projects(model.overview)}${drift !== null && driftSection(drift, now)}
<section class="card section" aria-labelledby="found"><h2 id="found">${counted(model)}</h2>
${model.found.length === 0 ? html`<p class="soft">No workspace is selected by that.</p>` : table(model.found, now)}
${pages(model)}</section>`,
  })
}

const counted = ({ total, query }: FleetModel) =>
  `${total} ${total === 1 ? "workspace" : "workspaces"}${query.search || query.state ? " found" : ""}`

/** What each project of the providers lets through; what nobody waits for begins only where that is enough. */
function projects({ projects: all }: Overview): Html {
  return html`<section class="card section" aria-labelledby="projects"><h2 id="projects">Providers</h2>
${wideTable(
  "Providers",
  ["Project", "Provider", "Requests left", "How it answers"],
  all.map(one => ({
    cells: [
      html`<code>${one.project}</code>`,
      PROVIDER_LABELS[one.provider],
      `${Math.round(one.requestsLeft * 100)} %`,
      one.isStormy
        ? html`<span class="badge bad">Fails</span> <span class="small soft">backups, trials, roll-outs and sweeps wait; operations that met a fault try one after the other</span>`
        : admitsChores(one)
          ? html`<span class="badge good">Well</span>`
          : html`<span class="badge rest">Busy</span> <span class="small soft">backups, trials, roll-outs and sweeps wait for requests</span>`,
    ],
  })),
)}</section>`
}

function figures({ states, operations, sweep, backups, costs }: Overview, now: number): Html {
  const orphans = sweep?.resources.filter(one => one.verdict !== "removed").length ?? 0
  return html`<section class="figures" aria-label="How everything stands">
${states.map(({ state, count }) =>
  figure(String(count), stateWords({ state, snapshot: null }).label, {
    href: `/operator?state=${state}`,
    ...(state === "FAILED" ? { tone: "bad" } : {}),
  }),
)}
${figure(`${operations.running} + ${operations.queued}`, "operations running and queued", { href: "/operator/operations" })}
${figure(String(operations.failed24h), "failed in 24 h", { href: "/operator/operations", ...(operations.failed24h > 0 ? { tone: "bad" } : {}) })}
${figure(String(orphans), sweep === null ? "orphans: no sweep yet" : "orphans", { href: "/operator/upkeep#sweep", ...(orphans > 0 ? { tone: "warm" } : {}) })}
${figure(String(backups.unproven), "with unproven backups", backups.unproven > 0 ? { tone: "warm" } : {})}
${figure(String(backups.none), "without a backup", backups.none > 0 ? { tone: "warm" } : {})}
${costs.map(one => figure(money(one.amount, one.currency), `this month, about ${money(one.forecast, one.currency)} at its end`))}
</section>${
    sweep !== null &&
    html`<p class="small soft">The newest sweep was ${timeAgo(sweep.at, now)}, over ${sweep.held} resources.</p>`
  }`
}

function filter({ query: { search = "", state } }: FleetModel): Html {
  return html`<form class="inline-form operator-filter" action="/operator" role="search">
<div class="field grow"><label for="search">Search</label><input id="search" name="search" type="search" value="${search}" maxlength="100" placeholder="id, name, owner, size or region" autocomplete="off" spellcheck="false"></div>
<div class="field"><label for="state">State</label><select id="state" name="state"><option value="">All</option>${STATES.filter(
    one => one !== "TERMINATED",
  ).map(
    one =>
      html`<option ${attributes({ value: one, selected: one === state })}>${stateWords({ state: one, snapshot: null }).label}</option>`,
  )}</select></div>
<button class="button">Find</button></form>`
}

const table = (found: Owned[], now: number): Html =>
  wideTable(
    "Workspaces",
    ["Workspace", "Owner", "State", "Since", "Size", "Newest backup"],
    found.map(({ workspace, login }) => ({
      cells: [
        html`<a href="/operator/workspaces/${workspace.id}">${workspace.name}</a>${
          workspace.name !== workspace.id && html`<br><code class="small soft">${workspace.id}</code>`
        }`,
        isSpare(workspace)
          ? html`<span class="soft">spare</span>`
          : html`<a href="/operator/users/${workspace.owner}">${login}</a>`,
        html`${stateBadge(workspace)}${workspace.failure !== null && html`<br><span class="small soft">${workspace.failure.id}</span>`}`,
        timeAgo(workspace.since, now),
        html`${workspace.size} <span class="soft">in ${workspace.region}</span>`,
        workspace.backups?.last == null
          ? "none"
          : html`${timeAgo(workspace.backups.last, now)}${workspace.backups.lastProven === null && html` <span class="small soft">not proven</span>`}`,
      ],
    })),
  )

function pages({ query: asked, page, perPage, total }: FleetModel): Html | false {
  const last = Math.max(1, Math.ceil(total / perPage))
  if (last === 1) return false
  const to = (at: number) => `/operator${query({ ...asked, page: at })}`
  return html`<nav class="actions" aria-label="Pages">${page > 1 && html`<a class="button small" href="${to(page - 1)}">Newer</a>`}
<span class="small soft">Page ${page} of ${last}</span>${page < last && html`<a class="button small" href="${to(page + 1)}">Older</a>`}</nav>`
}
