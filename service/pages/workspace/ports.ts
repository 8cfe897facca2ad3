import type { Share, ShareSpan } from "../../shares/shares.ts"
import { admits } from "../../workspaces/transitions.ts"
import { postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { timeAgo } from "../time.ts"
import type { WorkspaceModel } from "./model.ts"

const SPAN_WORDS: Record<ShareSpan, string> = { hour: "1 hour", day: "1 day", week: "1 week" }

/** Web servers that listen in the workspace, and who else may see them. */
export function portsSection(model: WorkspaceModel): Html | false {
  const { view, ports, csrf, shared, now = Date.now() } = model
  const { id, state, certificate } = view.workspace
  if (!admits(state)) return false
  const action = `/workspaces/${encodeURIComponent(id)}/shares`
  return html`<section class="card section" aria-labelledby="ports"><h2 id="ports">Ports</h2>
${
  shared !== undefined &&
  html`<div class="fresh" role="status"><p><strong>The link to port ${shared.port}.</strong> Whoever has it sees that port; it ends ${timeAgo(shared.endsAt, now)}. Copy it now: it is not shown again.</p>
<div class="copy-row"><code id="share-link" tabindex="0">${shared.url}</code><button class="button small" type="button" data-copy="share-link" hidden>Copy</button></div></div>`
}
${
  ports.open.length === 0
    ? html`<p class="soft">No web server listens. Start one at any port from 1024 up, such as <code>npm run dev</code>, and it is listed here.</p>`
    : html`<ul class="rows ports" role="list">${ports.open.map(
        ({
          port,
          program,
        }) => html`<li><div class="row-main"><strong>${port}</strong> <span class="soft">${program}</span></div>
<div class="actions"><a class="button small" href="/connect?workspace=${id}&amp;to=port-${port}" target="_blank" rel="noopener">Open${icon("external")}<span class="visually-hidden"> port ${port} in a new tab</span></a>${postForm(
          {
            ...{ action, csrf, class: "inline-form", hidden: { port: String(port) } },
            content: html`<select ${attributes({ name: "for", "aria-label": `How long port ${port} is shared` })}>${Object.entries(SPAN_WORDS).map(([value, words]) => html`<option value="${value}">${words}</option>`)}</select><button class="button small quiet">Share<span class="visually-hidden"> port ${port}</span></button>`,
          },
        )}</div></li>\n`,
      )}</ul>`
}
${ports.shares.length > 0 && html`<h3>Shared by link</h3><ul class="rows shares" role="list">${ports.shares.map(one => shareRow(one, action, csrf, now))}</ul>`}
<p class="small soft">Each port has an address of its own, which only you can open unless you share it. A shared link opens that port alone; it ends after its time, when you end it, and when the workspace stops.${certificate !== null && " Browsers warn of these addresses, as its certificate is not by an authority or does not have them; the connection is encrypted all the same."}</p></section>`
}

function shareRow(one: Share, action: string, csrf: string, now: number): Html {
  const came =
    one.visitedAt === null
      ? "nobody has come yet"
      : html`${one.visits} ${one.visits === 1 ? "visit" : "visits"}, the last ${timeAgo(one.visitedAt, now)}`
  return html`<li><div class="row-main"><strong>${one.port}</strong> <span class="soft">ends ${timeAgo(one.endsAt, now)} · ${came}</span></div>
<div class="actions">${postForm({
    ...{ action: `${action}/${one.id}/end`, csrf, class: "inline-form" },
    content: html`<button class="button small quiet danger">End<span class="visually-hidden"> the share of port ${one.port}</span></button>`,
  })}</div></li>\n`
}
