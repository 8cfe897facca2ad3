import { assetUrl, importsOf } from "./assets.ts"
import { type Html, html } from "./html.ts"
import { icon, mark } from "./icons.ts"
import type { User } from "./models.ts"

export interface Shell {
  title: string
  body: Html
  /** Signed-in pages show who it is and a way out. */
  signedIn?: { user: User; csrf: string }
  /** Client code of this page beside the site's own, such as "operation". */
  scripts?: string[]
  /** Seconds after which a browser without scripts loads the page again. */
  refresh?: number
  /** How the page lies: a wide column, a narrow one, or one card in the middle. */
  layout?: "wide" | "narrow" | "center"
}

/** A whole HTML document around a page's main part. */
export function document({ title, body, signedIn, scripts = [], refresh, layout = "wide" }: Shell): string {
  const modules = ["site", ...scripts].map(name => `${name}.js`)
  const imported = [...new Set(modules.flatMap(importsOf))]
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0d1117">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#eef2f3">
<meta name="referrer" content="same-origin">
<title>${title} · foozol Cloud</title>
<link rel="icon" type="image/svg+xml" href="${assetUrl("mark.svg")}">
<link rel="stylesheet" href="${assetUrl("site.css")}">
${imported.map(url => html`<link rel="modulepreload" href="${url}">\n`)}${modules.map(
  name => html`<script type="module" src="${assetUrl(name)}"></script>\n`,
)}${refresh !== undefined && html`<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
${header(signedIn)}
<main id="main" class="${layout}" tabindex="-1">
${body}
</main>
${footer()}
</body>
</html>
`
  return String(page)
}

const header = (signedIn: Shell["signedIn"]) => html`<header class="top">
<a class="brand" href="/">${mark()}<span class="brand-name">foozol <span class="soft">Cloud</span></span></a>
${signedIn !== undefined && menu(signedIn)}
</header>`

const menu = ({ user, csrf }: { user: User; csrf: string }) => html`<nav class="top-nav" aria-label="Main">
<a class="top-link" href="/">Workspaces</a>
<details class="menu" data-menu>
<summary aria-label="Menu of ${user.name ?? user.login}">${avatar(user)}${icon("chevron")}</summary>
<div class="menu-panel">
<p class="menu-who"><strong>${user.name ?? user.login}</strong><span class="soft">@${user.login}</span></p>
<a href="/">${icon("machine")}Workspaces</a>
<a href="/backups">${icon("disk")}Backups</a>
<a href="/usage">${icon("clock")}Usage and budget</a>
<a href="/account/notifications">${icon("info")}Notifications</a>
${
  user.operator &&
  html`<a href="/operator">${icon("machine")}Operator</a>
`
}<a href="/account">${icon("key")}Account, tokens and keys</a>
<a href="/api/v1/docs">${icon("window")}API</a>
<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="${csrf}"><button class="menu-item">${icon("arrow")}Sign out</button></form>
</div>
</details>
</nav>`

/** The content security policy admits pictures of this host only; whoever has none there gets a letter. */
const AVATARS = "https://avatars.githubusercontent.com/"

const avatar = ({ login, name, avatarUrl }: User) =>
  avatarUrl?.startsWith(AVATARS)
    ? html`<img class="avatar" src="${avatarUrl}" alt="" width="32" height="32" referrerpolicy="no-referrer">`
    : html`<span class="avatar" aria-hidden="true">${[...(name || login)][0]?.toUpperCase() ?? "?"}</span>`

const footer = () => html`<footer class="foot"><span>foozol Cloud</span><a href="/api/v1/docs">API</a></footer>`
