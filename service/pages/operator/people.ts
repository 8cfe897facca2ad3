import type { Owned } from "../../operators/fleet.ts"
import type { Person } from "../../operators/people.ts"
import { field, postForm } from "../controls.ts"
import { type Html, html } from "../html.ts"
import { stateBadge } from "../state-badge.ts"
import { timeAgo } from "../time.ts"
import { type OperatorShell, operatorPage, wideTable } from "./shell.ts"

export interface PeopleModel extends OperatorShell {
  people: Person[]
  total: number
  search: string
}

/** Everybody who has signed in. */
export function peoplePage(model: PeopleModel): string {
  const { people, total, search, now = Date.now() } = model
  return operatorPage(model, {
    tab: "users",
    title: "Users",
    body: html`<form class="inline-form operator-filter" action="/operator/users" role="search">
<div class="field grow"><label for="search">Search</label><input id="search" name="search" type="search" value="${search}" maxlength="60" placeholder="login name or id" autocomplete="off" spellcheck="false"></div>
<button class="button">Find</button></form>
<section class="card section" aria-labelledby="people"><h2 id="people">${total} ${total === 1 ? "user" : "users"}</h2>
${
  people.length === 0
    ? html`<p class="soft">Nobody is found by that.</p>`
    : wideTable(
        "Users",
        ["User", "Workspaces", "Last sign-in", "Standing"],
        people.map(one => ({
          cells: [
            html`<a href="/operator/users/${one.id}">${one.login}</a> <code class="small soft">${one.id}</code>`,
            String(one.workspaces),
            one.lastSignInAt === null ? "unknown" : timeAgo(one.lastSignInAt, now),
            standing(one),
          ],
        })),
      )
}
${people.length < total && html`<p class="small soft">The first ${people.length}: search for the others.</p>`}</section>`,
  })
}

const standing = ({ suspended, ending }: Person): Html => {
  if (ending) return html`<span class="badge busy">Account ends</span>`
  if (suspended) return html`<span class="badge bad">Suspended</span>`
  return html`<span class="badge good">May use it</span>`
}

export interface PersonModel extends OperatorShell {
  person: Person
  workspaces: Owned[]
  /** Operators are not suspended. */
  isOperator: boolean
  /** Login name of who suspended them. */
  suspendedBy: string | null
  error?: string
}

/** One user, their workspaces, and whether they may use the service. */
export function personPage(model: PersonModel): string {
  const { person, workspaces, now = Date.now() } = model
  return operatorPage(model, {
    tab: "users",
    title: person.login,
    body: html`<section class="card section" aria-label="Who it is"><p>${standing(person)} <code class="soft">${person.id}</code></p>
<p class="soft">${person.name}, here since ${timeAgo(person.createdAt, now)}${person.lastSignInAt !== null && html`, last sign-in ${timeAgo(person.lastSignInAt, now)}`}.</p>
<div class="actions"><a class="button small" href="/operator/audit?user=${person.id}">Audit</a></div></section>
<section class="card section" aria-labelledby="theirs"><h2 id="theirs">Workspaces</h2>
${
  workspaces.length === 0
    ? html`<p class="soft">They have none.</p>`
    : html`<ul class="rows" role="list">${workspaces.map(
        ({ workspace }) =>
          html`<li><div class="row-main"><a href="/operator/workspaces/${workspace.id}">${workspace.name}</a></div>${stateBadge(workspace)}</li>\n`,
      )}</ul>`
}</section>
${access(model, now)}`,
  })
}

function access({ person, isOperator, suspendedBy, csrf, error }: PersonModel, now: number): Html {
  const { id, login, suspended } = person
  if (suspended) {
    return html`<section class="card section" aria-labelledby="access"><h2 id="access">Suspended</h2>
<p>${suspendedBy ?? suspended.by} has suspended them ${timeAgo(suspended.at, now)}${suspended.why !== "" && `: ${suspended.why}`}. ${suspended.keepRunning ? "Their workspaces stay on." : "Their workspaces are stopped."}</p>
${postForm({ action: `/operator/users/${id}/resume`, csrf, content: html`<button class="button">Let them in again</button>` })}
<p class="small soft">Workspaces stay off until somebody starts them; tokens must be made anew.</p></section>`
  }
  if (isOperator || person.ending)
    return html`<p class="small soft">${isOperator ? "An operator is not suspended: take them off FOOZOL_OPERATORS first." : "Their account is being deleted."}</p>`
  return html`<section class="card section" aria-labelledby="access"><h2 id="access">Suspend</h2>
<p class="soft">Ends their logins, tokens and open desktops at once and keeps them out. Nothing of theirs is deleted.</p>
${postForm({
  action: `/operator/users/${id}/suspend`,
  csrf,
  class: "stack",
  content: html`${field({ id: "why", name: "why", label: "Why", optional: true, more: { maxlength: 200, autocomplete: "off" } })}
<label class="check"><input type="checkbox" name="keepRunning" value="true"> Their workspaces stay on</label>
${field({
  ...{ id: "confirm", name: "confirm", label: "Type their login name to confirm", error },
  hint: html`It is <strong class="name">${login}</strong>`,
  more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
})}
<div class="actions"><button class="button danger">Suspend ${login}</button></div>`,
})}</section>`
}
