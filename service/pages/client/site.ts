/// <reference lib="dom" />
import { relative } from "../words.ts"

/** What every page does: keeps "5 min ago" true, closes the menu, sends a form once, copies. */

function tellTimes(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-relative]")) {
    const words = relative(Date.parse(time.dateTime), Date.now())
    if (time.textContent !== words) time.textContent = words
  }
}
setInterval(tellTimes, 15_000)

const menu = document.querySelector<HTMLDetailsElement>("[data-menu]")
document.addEventListener("click", event => {
  if (menu?.open && !menu.contains(event.target as Node)) menu.open = false
})
document.addEventListener("keydown", event => {
  if (event.key !== "Escape" || !menu?.open) return
  menu.open = false
  menu.querySelector("summary")?.focus()
})

// A second press while the first is on its way would send the form again.
document.addEventListener("submit", event => {
  const form = event.target as HTMLFormElement
  if (form.dataset.sent !== undefined) return event.preventDefault()
  form.dataset.sent = ""
  form.setAttribute("aria-busy", "true")
})
// Whoever comes back by the browser's button finds forms that can be sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
    delete form.dataset.sent
    form.removeAttribute("aria-busy")
  }
})

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
  if (navigator.clipboard === undefined) continue
  button.hidden = false
  const label = button.textContent
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? ""
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
    button.textContent = copied ? "Copied" : "Select it and copy by hand"
    setTimeout(() => {
      button.textContent = label
    }, 3_000)
  })
}
