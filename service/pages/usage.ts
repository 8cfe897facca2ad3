import { field, notice, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { attributes, type Html, html } from "./html.ts"
import type { Money, Notice, SignedIn } from "./models.ts"
import { progressBar } from "./progress-bar.ts"
import { duration, money } from "./words.ts"

export interface UsageModel extends SignedIn {
  /** Such as "2026-11", in UTC, with the one before and the one after; null where there is none. */
  month: string
  before: string
  after: string | null
  workspaces: {
    workspace: string
    name: string
    size: string
    region: string
    seconds: Record<"active" | "idle" | "stopped" | "hibernated" | "changing" | "failed", number>
    costs: Money[]
    unpricedSeconds: number
  }[]
  total: Money[]
  /** The budget of the present month; null without one. */
  budget: { amount: number; action: "stop" | "warn"; spent: Money | null; part: number } | null
  /** Why what was entered was not taken. */
  budgetError?: string
  notice?: Notice
}

/** What each workspace was in a month and what it cost about; and the budget. */
export function usagePage(model: UsageModel): string {
  const { user, csrf, month, workspaces } = model
  return document({
    title: "Usage",
    signedIn: { user, csrf },
    body: html`<div class="page-head"><h1>Usage in ${monthWords(month)}</h1>${months(model)}</div>
${model.notice !== undefined && notice(model.notice)}
<section class="card section" aria-labelledby="workspaces-used"><h2 id="workspaces-used">Workspaces</h2>
${workspaces.length === 0 ? html`<p class="soft">There was no workspace in this month.</p>` : table(model)}
<p class="small soft">Estimated from the provider's prices of the time, before tax, by calendar month in UTC. Hetzner bills each machine by started hours, so its bill may be slightly higher; addresses (about half a euro a month each), snapshots and backups are not in it. A machine that is switched off costs its full price at Hetzner, and at Google what its disk does.</p>
<div class="actions"><a class="button small" href="/api/v1/usage.csv?month=${month}" download="usage-${month}.csv">CSV</a>
<a class="button small" href="/api/v1/usage?month=${month}">JSON</a></div></section>
${budget(model)}`,
  })
}

const months = ({ before, after }: UsageModel): Html => html`<nav class="actions" aria-label="Months">
<a class="button small" href="/usage?month=${before}">${monthWords(before)}</a>
${after !== null && html`<a class="button small" href="/usage?month=${after}">${monthWords(after)}</a>`}</nav>`

/** "2026-11" as "November 2026". */
const monthWords = (month: string) =>
  new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01`))

function table({ workspaces, total }: UsageModel): Html {
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Usage by workspace"><table>
<thead><tr><th scope="col">Workspace</th><th scope="col">Active</th><th scope="col">Idle</th><th scope="col">Stopped</th><th scope="col">Other</th><th scope="col">Cost</th></tr></thead>
<tbody>${workspaces.map(
    one => html`<tr><th scope="row">${one.name}<br><span class="small soft">${one.size} · ${one.region}</span></th>
<td>${time(one.seconds.active)}</td><td>${time(one.seconds.idle)}</td><td>${time(one.seconds.stopped + one.seconds.hibernated)}</td>
<td>${time(one.seconds.changing + one.seconds.failed)}</td><td>${amounts(one.costs)}${
      one.unpricedSeconds > 0 &&
      html` <span class="small soft">and ${time(one.unpricedSeconds)} of which the price is not known</span>`
    }</td></tr>\n`,
  )}</tbody>
<tfoot><tr><th scope="row" colspan="5">In all</th><td><strong>${amounts(total)}</strong></td></tr></tfoot></table></div>`
}

const time = (seconds: number) => (seconds === 0 ? "–" : duration(seconds * 1000))
const amounts = (costs: Money[]) =>
  costs.length === 0 ? "–" : costs.map(({ amount, currency }) => money(amount, currency)).join(" + ")

function budget({ budget, csrf, budgetError }: UsageModel): Html {
  const spent = budget?.spent
  return html`<section class="card section" aria-labelledby="budget"><h2 id="budget">Budget for a month</h2>
<p class="soft">You are told when 80 % and when all of it is used; where that goes, you choose under <a href="/account/notifications">Notifications</a>.</p>
${
  budget !== null &&
  html`<p>${spent ? money(spent.amount, spent.currency) : "Nothing"} of ${
    spent ? money(budget.amount, spent.currency) : budget.amount
  } used this month${budget.part >= 1 && budget.action === "stop" && html`: <strong>no workspace can be started or created until you raise it or the month ends</strong>`}.</p>
${progressBar({ label: "Used of this month's budget", fraction: Math.min(1, budget.part) })}`
}
${postForm({
  action: "/usage/budget",
  csrf,
  class: "inline-form level",
  content: html`${field({
    ...{ id: "budget-amount", name: "amount", label: "Before tax, in the currency of the prices", type: "number" },
    ...{
      value: budget === null ? "" : String(budget.amount),
      error: budgetError,
      hint: "Empty: no budget of your own.",
    },
    more: { min: "0.01", step: "0.01", max: "1000000", inputmode: "decimal" },
  })}
<div class="field"><label for="budget-action">When it is used up</label><select id="budget-action" name="action">${(
    [
      ["stop", "stop my workspaces"],
      ["warn", "only tell me"],
    ] as const
  ).map(
    ([value, label]) => html`<option ${attributes({ value, selected: value === budget?.action })}>${label}</option>`,
  )}</select></div>
<button class="button">Save</button>`,
})}</section>`
}
