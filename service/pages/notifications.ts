import { field, notice, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { attributes, type Html, html } from "./html.ts"
import type { Notice, SignedIn } from "./models.ts"
import { timeAgo } from "./time.ts"

type Channel = "email" | "webhook"

export interface NotificationsModel extends SignedIn {
  /** Does this service send mail? */
  sendsMail: boolean
  email: { address: string; confirmed: boolean } | null
  webhook: { url: string } | null
  kinds: { kind: string; channels: Channel[] }[]
  failures: { kind: string; channel: Channel; at: number; givenUpAt: number; reason: string }[]
  /** A webhook's secret just made; it is shown this once. */
  newSecret?: string
  errors?: { address?: string; url?: string }
  notice?: Notice
}

/** What each kind is called; a kind that is not here is shown by its name. */
const KIND_WORDS: Record<string, string> = {
  "about-to-stop": "A workspace is about to stop",
  stopped: "A workspace has stopped",
  woke: "A workspace has started",
  "backup-failed": "A backup failed",
  "restore-unproven": "A backup could not be proven to restore",
  "provisioning-failed": "A workspace could not be created",
  "agent-waits": "A coding agent waits for me",
  "budget-near": "80 % or all of my budget is used",
  test: "A message to try things out",
  "confirm-address": "The link to confirm your address",
}
const CHANNEL_WORDS = { email: "E-mail", webhook: "Webhook" } as const

/** Where notifications go. */
export function notificationsPage(model: NotificationsModel): string {
  const { user, csrf, now = Date.now() } = model
  return document({
    title: "Notifications",
    signedIn: { user, csrf },
    layout: "narrow",
    body: html`<div class="page-head"><h1>Notifications</h1><p class="soft"><a href="/account">Account</a></p></div>
${model.notice !== undefined && notice(model.notice)}
${model.failures.length > 0 && failures(model, now)}
${email(model)}
${webhook(model)}
${kinds(model)}`,
  })
}

function email({ sendsMail, email, csrf, errors }: NotificationsModel): Html {
  return html`<section class="card section" aria-labelledby="email"><h2 id="email">E-mail</h2>
${!sendsMail && html`<p class="soft">This service sends no mail: its operator has set no mail server.</p>`}
${
  email !== null &&
  html`<ul class="rows" role="list"><li><div class="row-main"><strong>${email.address}</strong> <span class="badge ${email.confirmed ? "good" : "off"}">${email.confirmed ? "Confirmed" : "Waits for you"}</span>
${!email.confirmed && html`<p class="small soft">Open the link that was sent there, signed in here. Until then no other mail goes there.</p>`}</div>
${postForm({ action: "/account/notifications/email/delete", csrf, content: html`<button class="button small quiet danger">Remove<span class="visually-hidden"> ${email.address}</span></button>` })}</li></ul>`
}
${
  sendsMail &&
  postForm({
    action: "/account/notifications/email",
    csrf,
    class: "inline-form level",
    content: html`${field({
      ...{
        id: "address",
        name: "address",
        label: email === null ? "Address" : "Another address",
        error: errors?.address,
      },
      more: { required: true, autocomplete: "email", inputmode: "email", maxlength: 254 },
    })}<button class="button">Save</button>`,
  })
}</section>`
}

function webhook({ webhook, csrf, newSecret, errors }: NotificationsModel): Html {
  return html`<section class="card section" aria-labelledby="webhook"><h2 id="webhook">Webhook</h2>
<p class="soft">A program of yours is sent JSON by POST, signed as the <a href="https://www.standardwebhooks.com" rel="noopener">Standard Webhooks</a> are.</p>
${
  newSecret !== undefined &&
  html`<div class="fresh" role="status"><p><strong>The secret it is signed with.</strong> Copy it now: it is not shown again.</p>
<div class="copy-row"><code id="new-secret" tabindex="0">${newSecret}</code><button class="button small" type="button" data-copy="new-secret" hidden>Copy</button></div></div>`
}
${
  webhook !== null &&
  html`<ul class="rows" role="list"><li><div class="row-main"><code>${webhook.url}</code></div>
${postForm({ action: "/account/notifications/webhook/delete", csrf, content: html`<button class="button small quiet danger">Remove<span class="visually-hidden"> the webhook</span></button>` })}</li></ul>`
}
${postForm({
  action: "/account/notifications/webhook",
  csrf,
  class: "inline-form level",
  content: html`${field({
    ...{ id: "webhook-url", name: "url", label: webhook === null ? "URL" : "Another URL", type: "url" },
    ...{ error: errors?.url, hint: "With a new secret each time." },
    more: { required: true, placeholder: "https://example.com/hook", autocomplete: "off", maxlength: 2000 },
  })}<button class="button">Save</button>`,
})}</section>`
}

function kinds({ kinds, csrf }: NotificationsModel): Html {
  return html`<section class="card section" aria-labelledby="kinds"><h2 id="kinds">What goes where</h2>
${postForm({
  action: "/account/notifications/kinds",
  csrf,
  class: "choices-table",
  content: html`<div class="table-scroll" tabindex="0" role="region" aria-label="What goes where"><table>
<thead><tr><th scope="col">When</th><th scope="col">E-mail</th><th scope="col">Webhook</th></tr></thead>
<tbody>${kinds.map(
    ({ kind, channels }) =>
      html`<tr><th scope="row">${KIND_WORDS[kind] ?? kind}</th>${(["email", "webhook"] as const).map(
        channel =>
          html`<td><input ${attributes({
            ...{ type: "checkbox", name: kind, value: channel, checked: channels.includes(channel) },
            "aria-label": `${KIND_WORDS[kind] ?? kind}: ${CHANNEL_WORDS[channel]}`,
          })}></td>`,
      )}</tr>\n`,
  )}</tbody></table></div><button class="button">Save</button>`,
})}
${postForm({ action: "/account/notifications/test", csrf, content: html`<button class="button quiet">Send a message to try it out</button>` })}</section>`
}

const failures = ({ failures }: NotificationsModel, now: number): Html =>
  html`<section class="card section" aria-labelledby="failures"><h2 id="failures">Not delivered</h2>
<p class="soft">These were tried for a day, or as long as there was hope, and given up.</p>
<ul class="rows" role="list">${failures.map(
    ({ kind, channel, at, reason }) =>
      html`<li><div class="row-main"><strong>${KIND_WORDS[kind] ?? kind}</strong> <span class="badge bad">${CHANNEL_WORDS[channel]}</span>
<p class="small soft">Told ${timeAgo(at, now)}. ${reason}</p></div></li>\n`,
  )}</ul></section>`
