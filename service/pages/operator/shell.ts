import { notice } from "../controls.ts"
import { document } from "../document.ts"
import { attributes, type Html, html } from "../html.ts"
import type { Notice, SignedIn } from "../models.ts"

/** Pages of operators, in the order of their tabs. */
const TABS = [
  ["fleet", "/operator", "Fleet"],
  ["operations", "/operator/operations", "Operations"],
  ["users", "/operator/users", "Users"],
  ["certificates", "/operator/certificates", "Certificates"],
  ["upkeep", "/operator/upkeep", "Upkeep"],
  ["audit", "/operator/audit", "Audit"],
] as const
export type Tab = (typeof TABS)[number][0]

export interface OperatorShell extends SignedIn {
  notice?: Notice
}

/** A page of operators: its tabs, then its parts. What lies in `live` is shown anew every few seconds. */
export function operatorPage(
  { user, csrf, notice: said }: OperatorShell,
  { tab, title, head, body, live, scripts = [] }: OperatorPart,
): string {
  return document({
    title: `${title} · Operator`,
    signedIn: { user, csrf },
    scripts: [...(live === undefined ? [] : ["live-operator"]), ...scripts],
    body: html`<nav class="tabs" aria-label="Operator">${TABS.map(
      ([name, href, label]) =>
        html`<a ${attributes({ href, "aria-current": name === tab ? "page" : null })}>${label}</a>`,
    )}</nav>
${said !== undefined && notice(said)}
<div class="page-head"><h1>${title}</h1>${head}</div>
${body}${live !== undefined && html`<div id="live" data-live>${live}</div>`}`,
  })
}

interface OperatorPart {
  tab: Tab
  title: string
  head?: Html | false
  body?: Html | false
  live?: Html
  scripts?: string[]
}

/** A table that becomes cards where there is no room for it; each cell says what it is. */
export function wideTable(
  label: string,
  head: string[],
  rows: { cells: (Html | string | false)[]; tone?: string }[],
): Html {
  return html`<table class="wide-table" aria-label="${label}"><thead><tr>${head.map(
    name => html`<th scope="col">${name === "" ? html`<span class="visually-hidden">Actions</span>` : name}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ({ cells, tone }) =>
      html`<tr ${attributes({ class: tone })}>${cells.map((cell, at) =>
        at === 0
          ? html`<th scope="row">${cell}</th>`
          : html`<td ${attributes({ "data-label": head[at] || null })}>${cell !== "" && cell !== false && html`<div>${cell}</div>`}</td>`,
      )}</tr>\n`,
  )}</tbody></table>`
}

/** A number that matters, with where it leads. */
export const figure = (value: string, label: string, { href, tone }: { href?: string; tone?: string } = {}): Html => {
  const inner = html`<strong>${value}</strong><span>${label}</span>`
  const kind = { class: `figure${tone ? ` ${tone}` : ""}` }
  return href === undefined
    ? html`<div ${attributes(kind)}>${inner}</div>`
    : html`<a ${attributes({ ...kind, href })}>${inner}</a>`
}

/** What is a part of an address, as it may stand in a query. */
export const query = (all: Record<string, string | number | undefined>): string => {
  const given = Object.entries(all).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? "" : `?${new URLSearchParams(given as [string, string][])}`
}
