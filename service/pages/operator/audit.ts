import type { AuditEntry } from "../../audit/entry.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import { type OperatorShell, operatorPage, query, wideTable } from "./shell.ts"

export interface AuditModel extends OperatorShell {
  entries: AuditEntry[]
  more: boolean
  /** What is looked for; empty: everything. */
  asked: { user: string; workspace: string }
  /** Login names by user id. */
  logins: ReadonlyMap<string, string>
}

/** Who did what, newest first. */
export function auditPage(model: AuditModel): string {
  const { entries, asked, more, now = Date.now() } = model
  const { user, workspace } = asked
  return operatorPage(model, {
    tab: "audit",
    title: "Audit",
    head: html`<div class="actions"><a class="button small" href="${`/api/v1/audit.csv${query(asked)}`}" download="audit.csv">CSV</a>
<a class="button small" href="${`/api/v1/audit.ndjson${query(asked)}`}" download="audit.ndjson">JSON lines</a></div>`,
    body: html`<form class="inline-form operator-filter" action="/operator/audit" role="search">
<div class="field grow"><label for="user">User</label><input id="user" name="user" value="${user}" maxlength="60" placeholder="login name or id" autocomplete="off" spellcheck="false"></div>
<div class="field grow"><label for="workspace">Workspace</label><input id="workspace" name="workspace" value="${workspace}" maxlength="40" placeholder="id" autocomplete="off" spellcheck="false"></div>
<button class="button">Find</button></form>
<section class="card section" aria-labelledby="entries"><h2 id="entries">Who did what</h2>
${entries.length === 0 ? html`<p class="soft">Nothing is written down about that.</p>` : table(model, now)}
${more && html`<div class="actions"><a class="button small" href="${`/operator/audit${query({ ...asked, after: entries.at(-1)?.id })}`}">Older</a></div>`}
<p class="small soft">Each line is bound to the one before by a hash: <code>foozol-cloud audit verify</code> tells whether one was changed or taken out.</p></section>`,
  })
}

const table = ({ entries, logins }: AuditModel, now: number): Html =>
  wideTable(
    "Audit log",
    ["When", "Who", "How", "What", "Whose", "Result"],
    entries.map(one => ({
      cells: [
        timeAgo(one.at, now),
        html`${one.login}${one.as !== "user" && html` <span class="small soft">${one.as === "operator" ? "as operator" : "at a command line"}</span>`}`,
        html`${one.by}${one.from !== null && html`<br><span class="small soft">${one.from}</span>`}`,
        html`<code>${one.action}</code>${Object.keys(one.input).length > 0 && html`<br><code class="small soft">${JSON.stringify(one.input)}</code>`}`,
        html`${one.workspace !== null && html`<a href="/operator/workspaces/${one.workspace}">${one.workspace}</a> `}${
          one.user !== null && html`<span class="small soft">${logins.get(one.user) ?? one.user}</span>`
        }${one.workspace === null && one.user === null && "their own"}`,
        one.ok
          ? html`<span class="badge good">Done</span>`
          : html`<span class="badge bad">${one.error ?? String(one.status)}</span>`,
      ],
    })),
  )
