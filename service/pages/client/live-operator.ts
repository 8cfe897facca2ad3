/// <reference lib="dom" />
import { renew } from "./fragment.ts"

/** Shows the page's live part anew every few seconds, while the tab is seen and nobody is at one of its fields. */

const EVERY = 5_000

function isEditing(): boolean {
  const active = document.activeElement
  return (
    active instanceof HTMLElement &&
    active.closest("#live") !== null &&
    active.matches("input, select, textarea, summary")
  )
}

/** What was folded out or chosen in a form would be lost. */
const isTouched = () =>
  document.querySelector("#live details[open], #live input:checked") !== null ||
  [...document.querySelectorAll<HTMLInputElement>("#live input")].some(input => input.value !== input.defaultValue)

let asking = false
async function look(): Promise<void> {
  if (asking || document.hidden || isEditing() || isTouched()) return
  asking = true
  await renew("live").catch(() => false)
  asking = false
}

setInterval(look, EVERY)
document.addEventListener("visibilitychange", look)
