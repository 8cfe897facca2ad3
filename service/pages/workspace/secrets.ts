import { type Html, html } from "../html.ts"
import { secretsPart } from "../secrets.ts"
import type { WorkspaceModel } from "./model.ts"

/** The secrets of this workspace alone, and what comes from its owner's account. */
export function secretsSection({ view, csrf, secrets, now = Date.now() }: WorkspaceModel): Html {
  const { own, ofAccount } = secrets
  const isOwn = new Set(own.map(({ name }) => name))
  const others = ofAccount.filter(name => !isOwn.has(name))
  return html`<section class="card section" aria-labelledby="secrets"><h2 id="secrets">Keys for this workspace</h2>
<p class="soft">Kept encrypted and put into the environment of what is started on its machine from then on; programs that run keep what they have. Values are never shown again.</p>
${secretsPart({
  ...{ secrets: own, csrf, now, over: new Set(ofAccount) },
  action: `/workspaces/${encodeURIComponent(view.workspace.id)}/secrets`,
})}
<p class="small soft">${
    others.length > 0 &&
    html`From your account: ${others.map((name, at) => html`${at > 0 && ", "}<code>${name}</code>`)}. `
  }What all your workspaces have is set on <a href="/account#secrets">your account</a>.</p></section>`
}
