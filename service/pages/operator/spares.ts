import type { WarmShown } from "../../warm/warm.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import { wideTable } from "./shell.ts"

const wanted = ({ count, least, most }: WarmShown) => (most > least ? `${count} (${least}–${most})` : String(count))

/** The section of spare machines: how many there are and shall be, what they cost, how often they were of use. */
export function sparesSection(spares: WarmShown[], now: number): Html {
  return html`<section class="card section" aria-labelledby="spares"><h2 id="spares">Spare machines</h2>
${
  spares.length === 0
    ? html`<p class="soft">None are kept: FOOZOL_WARM and FOOZOL_WARM_MONTHLY say which, and what they may cost.</p>`
    : wideTable(
        "Spare machines",
        ["Kind", "Ready", "Wanted", "Being made", "Leaving", "Cost a month", "Oldest", "Taken", "Missed"],
        spares.map(one => ({
          cells: [
            html`${one.kind}${one.isWaiting && html` <span class="badge bad">Cannot be made</span>`}`,
            ...[String(one.ready), wanted(one), String(one.coming), String(one.leaving)],
            one.costs.map(({ currency, monthly }) => `${monthly.toFixed(2)} ${currency}`).join(", ") || "–",
            one.oldest === null ? "–" : timeAgo(one.oldest, now),
            ...[String(one.taken), String(one.missed)],
          ],
        })),
      )
}
<p class="small soft">They run for nobody until somebody creates a workspace that fits; then they are that one's. What they cost until then is the operator's.</p></section>`
}
