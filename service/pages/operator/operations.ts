import { faultOf, type Operation } from "../../operations/operation.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import { duration } from "../words.ts"
import { type OperatorShell, operatorPage, wideTable } from "./shell.ts"

export interface OperationsModel extends OperatorShell {
  going: Operation[]
  failed: Operation[]
  /** Login names by user id. */
  logins: ReadonlyMap<string, string>
}

/** What goes on, and what failed lately. */
export function operationsPage(model: OperationsModel): string {
  const { going, failed, now = Date.now() } = model
  return operatorPage(model, {
    tab: "operations",
    title: "Operations",
    live: html`<section class="card section" aria-labelledby="going"><h2 id="going">Going on</h2>
${going.length === 0 ? html`<p class="soft">No operation is going on.</p>` : goingTable(model, now)}</section>
<section class="card section" aria-labelledby="failed"><h2 id="failed">Failed in the last 7 days</h2>
${failed.length === 0 ? html`<p class="soft">None has failed.</p>` : failedTable(model, now)}</section>`,
  })
}

const workspaceLink = ({ workspace }: Operation) => html`<a href="/operator/workspaces/${workspace}">${workspace}</a>`

const goingTable = ({ going, logins }: OperationsModel, now: number): Html =>
  wideTable(
    "Operations that go on",
    ["Workspace", "What", "State", "For", "Asked for by", "Owner"],
    going.map(one => ({
      cells: [
        workspaceLink(one),
        one.kind,
        one.state === "running"
          ? html`<span class="badge busy">Running</span>`
          : html`<span class="badge off">Queued</span>`,
        duration(now - (one.startedAt ?? one.createdAt)),
        requester(one, logins),
        logins.get(one.owner) ?? one.owner,
      ],
    })),
  )

const failedTable = ({ failed, logins }: OperationsModel, now: number): Html =>
  wideTable(
    "Operations that failed",
    ["Workspace", "What", "When", "Why", "Asked for by"],
    failed.map(one => ({
      cells: [
        workspaceLink(one),
        one.kind,
        one.finishedAt === null ? "" : timeAgo(one.finishedAt, now),
        faultWords(one),
        requester(one, logins),
      ],
    })),
  )

/** Why an operation failed, with what only operators are told. */
export function faultWords(operation: Operation): Html {
  const fault = faultOf(operation) ?? operation.failure
  if (fault === null) return html`<span class="soft">Nobody knows.</span>`
  const detail = "detail" in fault ? fault.detail : null
  return html`${fault.message} <code class="small soft">${fault.id}</code>${
    detail !== null &&
    html`<details class="fault"><summary>Details</summary><pre tabindex="0">${detail}</pre></details>`
  }${operation.request !== undefined && html`<p class="small soft">Request <code>${operation.request}</code></p>`}`
}

/** Who asked for an operation, by name. */
export const requester = ({ requestedBy, owner }: Operation, logins: ReadonlyMap<string, string>): string =>
  requestedBy === owner ? "owner" : (logins.get(requestedBy) ?? requestedBy)
