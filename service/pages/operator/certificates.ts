import type { AuthorityState } from "../../certificates/certificates.ts"
import type { CertificateRow } from "../../certificates/view.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import { type OperatorShell, operatorPage, wideTable } from "./shell.ts"

export interface CertificatesModel extends OperatorShell {
  authorities: AuthorityState[]
  rows: CertificateRow[]
}

/** Rows that are shown: those that end first. */
const MOST = 200

/** What machines show to browsers, and what authorities grant yet. */
export function certificatesPage(model: CertificatesModel): string {
  const { now = Date.now() } = model
  return operatorPage(model, {
    tab: "certificates",
    title: "Certificates",
    live: html`${authorities(model)}${waiting(model, now)}${all(model, now)}`,
  })
}

const CLOSED = { down: ["Down", "does not answer"], limit: ["Limit", "says that it is reached"] } as const

function authorities({ authorities }: CertificatesModel): Html {
  return html`<section class="card section" aria-labelledby="authorities"><h2 id="authorities">Authorities</h2>
${
  authorities.length === 0
    ? html`<p class="soft">None is named (FOOZOL_ACME_DIRECTORY): machines sign their own certificates, and browsers warn of them.</p>`
    : wideTable(
        "Certificate authorities",
        ["Authority", "New names in 7 days", "Not come yet", "Standing"],
        authorities.map(one => ({
          cells: [
            one.name,
            one.most === 0 ? "no limit is set" : `${one.used} of ${one.most}`,
            String(one.asked),
            one.closed !== null
              ? html`<span class="badge bad">${CLOSED[one.closed][0]}</span> ${CLOSED[one.closed][1]}, as machines of several users were told`
              : one.most > 0 && one.left * one.most < 1
                ? html`<span class="badge bad">Used up</span>`
                : one.left < 0.25
                  ? html`<span class="badge busy">Nearly used up</span>`
                  : html`<span class="badge good">Grants</span>`,
          ],
        })),
      )
}
<p class="small soft">Renewals do not count. What is used comes back bit by bit, all of it within 7 days.</p></section>`
}

function waiting({ rows }: CertificatesModel, now: number): Html | false {
  const found = rows.filter(one => one.waits !== null)
  if (found.length === 0) return false
  return html`<section class="card section" aria-labelledby="waiting"><h2 id="waiting">Waiting for their turn</h2>
<p>${found.length} workspaces have their machine's own certificate until an authority grants another new name: their users meet a warning.</p>
${wideTable(
  "Waiting",
  ["Workspace", "User", "Waits since", "Turn about"],
  found.slice(0, MOST).map(one => ({
    cells: [
      link(one),
      one.login,
      timeAgo(one.waits?.since ?? now, now),
      timeAgo(Math.max(now, one.waits?.about ?? now), now),
    ],
  })),
)}</section>`
}

const STATES = {
  issued: html`<span class="badge good">Issued</span>`,
  expired: html`<span class="badge bad">Expired</span>`,
  "self-signed": html`<span class="badge rest">Self-signed</span>`,
}

function all({ rows }: CertificatesModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="certificates"><h2 id="certificates">By expiry</h2>
${
  rows.length === 0
    ? html`<p class="soft">No machine has told of its certificate.</p>`
    : wideTable(
        "Certificates",
        ["Workspace", "User", "Certificate", "By", "Good until", "Last try"],
        rows.slice(0, MOST).map(one => ({
          cells: [
            link(one),
            one.login,
            html`${STATES[one.state]}${!one.isOn && html` <span class="soft">off</span>`}`,
            one.issuer,
            timeAgo(one.expiresAt, now),
            one.problem === null
              ? ""
              : html`<span class="reason">${one.problem.kind}: ${one.problem.reason}</span> <span class="soft">${one.problem.failures} in a row</span>`,
          ],
        })),
      )
}${rows.length > MOST && html`<p class="small soft">${MOST} of ${rows.length}; <code>foozol-cloud certificates</code> lists all.</p>`}</section>`
}

const link = ({ workspace }: CertificateRow): Html => html`<a href="/operator/workspaces/${workspace}">${workspace}</a>`
