import { accessTokens } from "./account-tokens.ts"
import { notice, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { Notice, SecretView, SignedIn } from "./models.ts"
import { secretsPart } from "./secrets.ts"
import { timeAgo } from "./time.ts"

export interface AccountModel extends SignedIn {
  logins: { id: string; createdAt: number; lastSeenAt: number; userAgent: string; current: boolean }[]
  tokens: {
    id: string
    name: string
    scope: "read" | "write" | "operate"
    createdAt: number
    expiresAt: number | null
    lastUsedAt: number | null
  }[]
  secrets: SecretView[]
  /** A token just made; it is shown this once. */
  newToken?: string
  notice?: Notice
}

/** Logins, tokens for scripts, and secrets for machines. */
export function accountPage(model: AccountModel): string {
  const { user, csrf, now = Date.now() } = model
  return document({
    title: "Account",
    signedIn: { user, csrf },
    layout: "narrow",
    body: html`<div class="page-head"><h1>Account</h1><p class="soft">Signed in as <strong>@${user.login}</strong> of GitHub</p></div>
${model.notice !== undefined && notice(model.notice)}
${logins(model, now)}
${accessTokens(model, now)}
${secrets(model, now)}
<section class="card section" aria-labelledby="end"><h2 id="end">Delete your account</h2>
<p class="soft">Ends all logins and deletes your workspaces, keys and settings. You are asked before.</p>
<div class="actions"><a class="button danger" href="/account/delete">${icon("trash")}Delete my account</a></div></section>`,
  })
}

function logins({ logins, csrf }: AccountModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="logins"><h2 id="logins">Where you are signed in</h2>
<ul class="rows" role="list">${logins.map(
    one => html`<li><div class="row-main"><strong>${device(one.userAgent)}</strong>${one.current && html` <span class="badge good">This browser</span>`}
<p class="small soft">Seen ${timeAgo(one.lastSeenAt, now)} · signed in ${timeAgo(one.createdAt, now)}</p></div></li>\n`,
  )}</ul>
<div class="actions">${postForm({ action: "/sign-out", csrf, content: html`<button class="button">Sign out here</button>` })}
${postForm({ action: "/sign-out-everywhere", csrf, content: html`<button class="button quiet danger">Sign out everywhere</button>` })}</div>
<p class="small soft">Signing out closes desktops opened from that login at once. Programs on them go on.</p></section>`
}

/** A browser and its system out of what it says of itself, in words; what cannot be told is shown as it is. */
export function device(userAgent: string): string {
  const browser = [
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\/|FxiOS\//, "Firefox"],
    [/Chrome\/|CriOS\/|Chromium\//, "Chrome"],
    [/Safari\//, "Safari"],
  ] as const
  const system = [
    [/iPhone|iPad/, "iOS"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X|Macintosh/, "macOS"],
    [/CrOS/, "ChromeOS"],
    [/Linux|X11/, "Linux"],
  ] as const
  const find = (list: readonly (readonly [RegExp, string])[]) => list.find(([pattern]) => pattern.test(userAgent))?.[1]
  const [one, other] = [find(browser), find(system)]
  if (one === undefined) return userAgent === "" ? "Unknown browser" : userAgent.slice(0, 80)
  return other === undefined ? one : `${one} on ${other}`
}

function secrets({ secrets, csrf }: AccountModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="secrets"><h2 id="secrets">Keys for your workspaces</h2>
<p class="soft">Kept encrypted and put into the environment of what is started on your machines from then on; programs that run keep what they have. Values are never shown again. A workspace can have keys of its own: see its page.</p>
${secretsPart({ secrets, action: "/account/secrets", csrf, now })}</section>`
}
