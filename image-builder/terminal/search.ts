/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"
import type { View } from "./view.ts"

const DECORATIONS = {
  matchBackground: "#2b4a55",
  matchOverviewRuler: "#5fc2b6",
  activeMatchBackground: "#8a6a2f",
  activeMatchColorOverviewRuler: "#e3b069",
}

/** Search in what the active terminal shows and has shown. */
export function createSearch(active: () => View | undefined) {
  const [form, button] = [element<HTMLFormElement>("search"), element("find")]
  const [field, count] = [element<HTMLInputElement>("search-text"), element("search-count")]
  let searched: View | undefined
  let told: { dispose: () => void } | undefined

  function find(up: boolean, incremental = false): void {
    const view = active()
    const search = view?.search()
    if (view === undefined || search === undefined) return
    if (searched !== view) {
      searched?.search()?.clearDecorations()
      told?.dispose()
      told = search.onDidChangeResults(({ resultIndex, resultCount }) => {
        count.textContent =
          field.value === "" ? "" : resultCount === 0 ? "none" : `${resultIndex + 1} of ${resultCount}`
      })
      searched = view
    }
    if (field.value === "") {
      search.clearDecorations()
      count.textContent = ""
    } else if (up) search.findPrevious(field.value, { decorations: DECORATIONS, incremental })
    else search.findNext(field.value, { decorations: DECORATIONS, incremental })
  }

  function show(on: boolean): void {
    form.hidden = !on
    button.setAttribute("aria-expanded", String(on))
    if (on) {
      const selected = active()?.terminal()?.getSelection() ?? ""
      if (selected !== "" && !selected.includes("\n")) field.value = selected
      field.select()
      return
    }
    searched?.search()?.clearDecorations()
    searched = undefined
    active()?.focus()
  }

  button.addEventListener("click", () => show(form.hidden !== false))
  element("search-close").addEventListener("click", () => show(false))
  element("search-up").addEventListener("click", () => find(true))
  element("search-down").addEventListener("click", () => find(false))
  field.addEventListener("input", () => find(true, true))
  form.addEventListener("submit", event => event.preventDefault())
  form.addEventListener("keydown", event => {
    if (event.key === "Escape") show(false)
    else if (event.key === "Enter" && event.target === field) find(!event.shiftKey)
    else return
    event.preventDefault()
  })
  window.addEventListener("keydown", event => {
    if (!(event.ctrlKey && event.shiftKey && event.key.toUpperCase() === "F")) return
    event.preventDefault()
    show(true)
  })
}
