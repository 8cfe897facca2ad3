import type { Reason, SignalState } from "../idleness/judge.ts"
import { SIGNAL_WORDS } from "../idleness/words.ts"
import { postForm } from "./controls.ts"
import { attributes, type Html, html, type Value } from "./html.ts"
import { icon } from "./icons.ts"
import type { ActivityView } from "./models.ts"
import { timeAgo } from "./time.ts"

/** How long a click keeps a workspace on, in hours. */
export const KEEP_HOURS = [8, 24] as const

interface Around {
  id: string
  name: string
  csrf: string
  now: number
  /** Where its forms lead back to; to all workspaces if left out. */
  back?: "workspace"
}

/** Why a workspace is on and when it will stop, with the ways to change that. All of it works without scripts. */
export function activityPart(activity: ActivityView, around: Around): Html {
  const { judgement } = activity
  return html`<section class="use" aria-label="Use of ${around.name}">
${why(activity, around.now)}
${stop(activity, around.now)}
<details class="signs" id="signs-${around.id}"><summary>Signs of use${icon("chevron")}</summary>
<dl>${judgement.signals.map(one => sign(one, around.now))}</dl></details>
<div class="actions">${keepOn(activity, around)}${autoStop(activity, around)}</div>
</section>`
}

/** When the card will say something else if nothing happens meanwhile, in ms; null: no time is known. */
export const nextChange = ({ judgement, plannedStop }: ActivityView): number | null =>
  judgement.verdict === "active"
    ? judgement.idleAt
    : judgement.verdict === "idle" && judgement.stopsAt !== null
      ? Math.max(judgement.stopsAt, plannedStop ?? 0)
      : null

function why({ judgement, keepOnUntil }: ActivityView, now: number): Html {
  if (judgement.verdict === "unknown") {
    const heard =
      judgement.since === null ? "has not been heard of yet" : html`was heard of ${timeAgo(judgement.since, now)}`
    return html`<p>Its machine ${heard}: whether it is in use nobody knows.</p>`
  }
  if (judgement.verdict === "idle") {
    return html`<p>It became idle ${timeAgo(judgement.since, now)}: nothing that counts has been seen since.</p>`
  }
  const [first, ...others] = judgement.because
  const last = judgement.signals.find(({ signal }) => signal === first)?.lastAt
  const more =
    others.length > 0 &&
    html` <span class="soft">${others.length} more ${others.length === 1 ? "reason" : "reasons"}.</span>`
  return first === "keepOn"
    ? html`<p>Kept on, as you wanted; that ends ${timeAgo(keepOnUntil ?? now, now)}.${more}</p>`
    : html`<p>On because ${SIGNAL_WORDS[first as Reason].did}: ${timeAgo(last ?? now, now)}.${more}</p>`
}

function stop({ judgement, plannedStop, programsGoOn }: ActivityView, now: number): Html {
  if (judgement.verdict === "unknown") return html`<p class="soft">It is not stopped meanwhile.</p>`
  if (judgement.stopsAt === null) return html`<p class="soft">It is not stopped by itself.</p>`
  if (judgement.verdict === "active") {
    return html`<p class="soft">If nothing more happens: idle ${timeAgo(judgement.idleAt, now)}, stopped ${timeAgo(judgement.stopsAt, now)}.</p>`
  }
  const at = Math.max(judgement.stopsAt, plannedStop ?? 0)
  return html`<p class="soon">${icon("clock")}<span>It is stopped ${at > now ? timeAgo(at, now) : "now"}. ${programsGoOn ? "Files are kept, and programs go on when it wakes." : "Files are kept, programs end."}</span></p>`
}

const sign = ({ signal, lastAt, holds }: SignalState, now: number) =>
  html`<div ${attributes({ class: holds ? "holds" : null })}><dt>${SIGNAL_WORDS[signal].label}</dt><dd>${
    lastAt === null ? html`<span class="soft">not seen</span>` : timeAgo(lastAt, now)
  }${holds && html` <span class="soft">counts</span>`}</dd></div>`

function keepOn({ keepOnUntil }: ActivityView, { id, name, csrf, now, back }: Around): Html {
  const action = `/workspaces/${encodeURIComponent(id)}/keep-on`
  const button = (hours: number, words: Value) =>
    postForm({
      ...{ action, csrf, hidden: { hours: String(hours), ...(back ? { back } : {}) } },
      content: html`<button class="button small" id="keep-${hours}-${id}">${words}<span class="visually-hidden"> for ${name}</span></button>`,
    })
  if (keepOnUntil !== null && keepOnUntil > now) return button(0, "Keep on no longer")
  // The words before the first are true of all; whoever hears them one by one gets them each time.
  const words = (hours: number, index: number) =>
    index === 0 ? `Keep on for ${hours} hours` : html`<span class="visually-hidden">Keep on for </span>${hours} hours`
  return html`${KEEP_HOURS.map((hours, index) => button(hours, words(hours, index)))}`
}

function autoStop({ autoStop: on }: ActivityView, { id, name, csrf, back }: Around): Html {
  return postForm({
    action: `/workspaces/${encodeURIComponent(id)}/auto-stop`,
    csrf,
    hidden: { on: String(!on), ...(back ? { back } : {}) },
    content: html`<button ${attributes({
      class: "switch",
      id: `auto-stop-${id}`,
      role: "switch",
      "aria-checked": String(on),
    })}><span class="track" aria-hidden="true"></span>Stop when idle<span class="visually-hidden"> for ${name}</span></button>`,
  })
}
