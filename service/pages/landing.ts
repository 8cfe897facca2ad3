import { document } from "./document.ts"
import { type Html, html } from "./html.ts"
import { type IconName, icon } from "./icons.ts"
import { illustration } from "./illustration.ts"

export interface LandingModel {
  signInUrl: string
  /** Why signing in did not work. */
  error?: { title: string; message: string }
  /** Has somebody just signed out? */
  signedOut?: boolean
  /** Is somebody's account being deleted, who has just asked for it? */
  accountEnds?: boolean
}

/** What strangers see. */
export function landingPage({ signInUrl, error, signedOut, accountEnds }: LandingModel): string {
  return document({
    title: "A computer of your own, in a browser tab",
    body: html`<section class="hero">
<div class="hero-words">
${error !== undefined && alert(error)}${accountEnds && html`<div class="notice ok" role="status">${icon("check")}<p>Your account is being deleted. You are signed out everywhere; workspaces go within a few minutes. Nothing is left for you to do.</p></div>`}${signedOut && html`<div class="notice ok" role="status">${icon("check")}<p>You are signed out. Programs on your workspaces go on running.</p></div>`}
<h1>A computer of your own, in a browser tab</h1>
<p class="lead">foozol Cloud gives you a Linux desktop on its own virtual machine: a browser, a terminal and coding agents, streamed to any screen you happen to sit at.</p>
<p class="hero-action"><a class="button primary large" href="${signInUrl}">Sign in with GitHub${icon("arrow")}</a></p>
<p class="small soft">GitHub tells us who you are and nothing else: no access to your code is asked for.</p>
</div>
${illustration()}
</section>
<section class="points" aria-label="What you get">
${point("machine", "It goes on without you", "Close the browser, and programs and agents keep working. Come back from any device and everything is as it was.")}
${point("lock", "Yours alone", "One virtual machine per workspace, shared with nobody. Its desktop opens only to your login, and closes the moment you sign out.")}
${point("clock", "You see what it costs", "The provider's own price is on every size before you create anything, and on every workspace you have.")}
</section>`,
  })
}

const alert = ({ title, message }: { title: string; message: string }) =>
  html`<div class="notice error" role="alert">${icon("alert")}<div><strong>${title}</strong><p>${message}</p></div></div>`

const point = (name: IconName, title: string, text: string): Html =>
  html`<div class="point"><span class="point-icon">${icon(name)}</span><h2>${title}</h2><p>${text}</p></div>`
