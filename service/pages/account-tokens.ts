import type { AccountModel } from "./account.ts"
import { postForm } from "./controls.ts"
import { type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import { timeAgo } from "./time.ts"

/** Tokens for scripts: the list, a form for another, and the new one, shown once. */
export function accessTokens({ user, tokens, csrf, newToken }: AccountModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="tokens"><h2 id="tokens">Tokens for scripts</h2>
<p class="soft">For the <a href="/api/v1/docs">API</a> and the command line, sent in the header <code>Authorization: Bearer TOKEN</code>.</p>
${newToken !== undefined && fresh(newToken)}
${tokens.length > 0 && html`<ul class="rows" role="list">${tokens.map(token => row(token, csrf, now))}</ul>`}
${postForm({
  action: "/account/tokens",
  csrf,
  class: "inline-form",
  content: html`<div class="field grow"><label for="token-name">Name</label><input id="token-name" name="name" required maxlength="64" autocomplete="off" placeholder="laptop script"></div>
<div class="field"><label for="token-scope">May</label><select id="token-scope" name="scope"><option value="read">read</option><option value="write">read and change</option>${user.operator && html`<option value="operate">operate: what others have too</option>`}</select></div>
<div class="field"><label for="token-days">Ends after</label><select id="token-days" name="days"><option value="7">7 days</option><option value="30" selected>30 days</option><option value="90">90 days</option><option value="365">a year</option></select></div>
<button class="button">${icon("plus")}Create</button>`,
})}</section>`
}

const fresh = (
  token: string,
) => html`<div class="fresh" role="status"><p><strong>Your new token.</strong> Copy it now: it is not shown again.</p>
<div class="copy-row"><code id="new-token" tabindex="0">${token}</code><button class="button small" type="button" data-copy="new-token" hidden>Copy</button></div></div>`

const SCOPE_WORDS = { read: "Read", write: "Read and change", operate: "Operate" } as const

function row(token: AccountModel["tokens"][number], csrf: string, now: number): Html {
  const { id, name, scope, createdAt, expiresAt, lastUsedAt } = token
  const over = expiresAt !== null && expiresAt <= now
  return html`<li><div class="row-main"><strong>${name}</strong> <span class="badge ${over ? "bad" : "off"}">${over ? "Ended" : SCOPE_WORDS[scope]}</span>
<p class="small soft">Created ${timeAgo(createdAt, now)} · ${lastUsedAt === null ? "never used" : html`used ${timeAgo(lastUsedAt, now)}`} · ${
    expiresAt === null ? "does not end" : html`${over ? "ended" : "ends"} ${timeAgo(expiresAt, now)}`
  }</p></div>
${postForm({ action: `/account/tokens/${encodeURIComponent(id)}/revoke`, csrf, content: html`<button class="button small quiet danger">Revoke<span class="visually-hidden"> ${name}</span></button>` })}</li>\n`
}
