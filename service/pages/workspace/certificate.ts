import type { MachineCertificate } from "../../machines/certificate.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"

/** By whom the machine's certificate is, until when, and what is wrong with it. */
export function certificateWords(
  { state, issuer, expiresAt, asking, nextAt, problem }: MachineCertificate,
  now: number,
  wait: { about: number } | null = null,
): Html {
  const until = timeAgo(Date.parse(expiresAt), now)
  const words = {
    issued: html`by ${issuer}, good until ${expiresAt.slice(0, 10)}`,
    expired: html`expired ${until}: browsers refuse it`,
    "self-signed": html`signed by the machine itself: browsers warn of it`,
  }
  const waits =
    wait !== null &&
    html`<p class="reason">Its certificate authority gives certificates to so many new names a week, and those are used up: it is this one's turn ${timeAgo(Math.max(now, wait.about), now)} or sooner, and then it gets its own by itself. Until then the connection is encrypted all the same.</p>`
  return html`${words[state]}${waits}${asking && html`; another one is being asked for`}${
    problem !== null && html`<p class="reason">The last try for another one failed: ${problem.reason}</p>`
  }${
    problem !== null &&
    nextAt !== null &&
    html`<p class="small soft">It is tried again by itself, next ${timeAgo(Math.max(now, Date.parse(nextAt)), now)}.</p>`
  }`
}
