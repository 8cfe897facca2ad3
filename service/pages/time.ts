import { type Html, html } from "./html.ts"
import { relative } from "./words.ts"

/** A time in words that client code keeps true ("5 min ago"); the exact one, in UTC, is its title. */
export function timeAgo(at: number, now: number): Html {
  const exact = new Date(at).toISOString()
  const title = `${exact.slice(0, 10)} ${exact.slice(11, 16)} UTC`
  return html`<time datetime="${exact}" title="${title}" data-relative>${relative(at, now)}</time>`
}
