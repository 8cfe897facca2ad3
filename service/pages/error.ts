import { document } from "./document.ts"
import { html } from "./html.ts"
import { icon } from "./icons.ts"

export interface ErrorModel {
  /** HTTP status. */
  status: number
  title: string
  /** One sentence that says what is wrong and what to do. */
  message: string
  /** Stable id of the error. */
  id?: string
  requestId?: string
  /** Where to go from here; the user's workspaces if left out. */
  next?: { label: string; href: string }
}

/** What is shown in place of a page. */
export function errorPage({ status, title, message, id, requestId, next }: ErrorModel): string {
  const { label, href } = next ?? { label: "Your workspaces", href: "/" }
  return document({
    title,
    layout: "center",
    body: html`<section class="card dialog">
<span class="round ${status >= 500 ? "bad" : "warm"}">${icon("alert")}</span>
<h1>${title}</h1>
<p>${message}</p>
<div class="actions"><a class="button primary" href="${href}">${label}</a></div>
<dl class="ids"><div><dt>Status</dt><dd>${status}</dd></div>${id !== undefined && html`<div><dt>Error</dt><dd><code>${id}</code></dd></div>`}${
      requestId !== undefined && html`<div><dt>Request</dt><dd><code>${requestId}</code></dd></div>`
    }</dl>
</section>`,
  })
}
