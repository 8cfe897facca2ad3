/// <reference lib="dom" />
import type { Terminal } from "../agent/terminals/list.ts"
import type { Layout } from "./layout.ts"

/** One tab for each terminal; those that are shown are marked, the active one most. */
export function createTabs(
  place: HTMLElement,
  acts: { choose: (id: string) => void; rename: (id: string) => void; end: (id: string) => void },
) {
  place.addEventListener("dblclick", event => {
    const id = event.target instanceof Element ? event.target.closest<HTMLElement>(".tab")?.dataset.id : undefined
    if (id !== undefined) acts.rename(id)
  })
  const tabs = new Map<string, HTMLElement>()
  return {
    show: (all: readonly Terminal[], layout: Layout) => {
      for (const [id, tab] of tabs) {
        if (all.some(one => one.id === id)) continue
        tab.remove()
        tabs.delete(id)
      }
      all.forEach((one, at) => {
        const tab = tabs.get(one.id) ?? newTab(one.id, acts)
        tabs.set(one.id, tab)
        describe(tab, one, layout)
        if (place.children[at] !== tab) place.insertBefore(tab, place.children[at] ?? null)
      })
      const active = place.querySelector<HTMLElement>('[aria-selected="true"]')
      active?.scrollIntoView({ block: "nearest", inline: "nearest" })
    },
  }
}

function newTab(id: string, acts: Parameters<typeof createTabs>[1]): HTMLElement {
  const [whole, name, end] = [
    document.createElement("div"),
    document.createElement("button"),
    document.createElement("button"),
  ]
  whole.className = "tab"
  whole.dataset.id = id
  name.type = "button"
  name.setAttribute("role", "tab")
  name.addEventListener("click", () => acts.choose(id))
  end.type = "button"
  end.className = "end"
  end.textContent = "×"
  end.addEventListener("click", () => acts.end(id))
  whole.append(name, end)
  return whole
}

function describe(tab: HTMLElement, { id, name, program }: Terminal, layout: Layout): void {
  const at = layout.shown.indexOf(id)
  const [button, end] = tab.children as unknown as [HTMLElement, HTMLElement]
  tab.dataset.shown = String(at >= 0)
  button.setAttribute("aria-selected", String(at >= 0 && at === layout.active))
  button.textContent = name
  button.title = `${name} · ${program} (press twice to rename)`
  end.setAttribute("aria-label", `Close ${name}`)
}
