/// <reference lib="dom" />
import type { Layout } from "./layout.ts"
import type { View } from "./view.ts"

/** Lays the shown terminals out side by side; on a phone, only the active one can be seen. */
export function createPanes(place: HTMLElement, acts: { activate: (at: number) => void; hide: (at: number) => void }) {
  let panes: { id: string; pane: HTMLElement }[] = []
  return {
    show: (layout: Layout, viewOf: (id: string) => View, nameOf: (id: string) => string) => {
      const before = new Map(panes.map(one => [one.id, one.pane]))
      panes = layout.shown.map(id => ({ id, pane: before.get(id) ?? document.createElement("section") }))
      for (const [id, pane] of before) if (!layout.shown.includes(id)) pane.remove()
      place.style.setProperty("--panes", String(panes.length))
      panes.forEach(({ id, pane }, at) => {
        pane.className = "pane"
        pane.dataset.active = String(at === layout.active)
        pane.setAttribute("aria-label", nameOf(id))
        if (place.children[at] !== pane) place.insertBefore(pane, place.children[at] ?? null)
        if (before.get(id) !== pane) {
          pane.replaceChildren(head(id, acts, () => panes.findIndex(one => one.id === id)))
          viewOf(id).show(pane)
        }
        const title = pane.querySelector(".pane-name")
        if (title) title.textContent = nameOf(id)
      })
    },
  }
}

/** What stands over a terminal when there are several. */
function head(id: string, acts: Parameters<typeof createPanes>[1], at: () => number): HTMLElement {
  const whole = document.createElement("div")
  whole.className = "pane-head"
  const name = document.createElement("span")
  name.className = "pane-name"
  const hide = document.createElement("button")
  hide.type = "button"
  hide.setAttribute("aria-label", "Show this terminal no more here")
  hide.title = "Show it no more here; it goes on"
  hide.textContent = "−"
  hide.addEventListener("click", () => acts.hide(at()))
  whole.addEventListener("pointerdown", event => {
    if (event.target !== hide) acts.activate(at())
  })
  whole.append(name, hide)
  whole.dataset.id = id
  return whole
}
