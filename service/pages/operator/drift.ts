import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"

/** Where the provider is not what the stacks say. */
export interface DriftSummary {
  /** When it was looked for last, ms; null: never. */
  lookedAt: number | null
  drifted: { workspace: string; name: string; text: string }[]
}

export const driftSection = ({ lookedAt, drifted }: DriftSummary, now: number): Html =>
  html`<section class="card section" aria-labelledby="drift"><h2 id="drift">Drift</h2>
${
  drifted.length === 0
    ? html`<p class="soft">Everything at the provider is as it was made.</p>`
    : html`<ul class="rows" role="list">${drifted.map(
        one =>
          html`<li><div class="row-main"><a href="/operator/workspaces/${one.workspace}">${one.name}</a><p class="small soft">${one.text}</p></div></li>\n`,
      )}</ul>`
}
${lookedAt !== null && html`<p class="small soft">Looked for ${timeAgo(lookedAt, now)}.</p>`}</section>`
