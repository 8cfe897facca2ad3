/// <reference lib="dom" />
import type { Entry } from "../file-server/listing.ts"
import { element } from "../viewer/dom.ts"
import { type Column, type Order, sizeWords, sorted, timeWords } from "./words.ts"

/** The table of a folder: in order, with what is chosen. */
export function createEntries(acts: { open: (entry: Entry) => void; chosen: (names: string[]) => void }) {
  const [body, all] = [element("entries"), element<HTMLInputElement>("choose-all")]
  const chosen = new Set<string>()
  let entries: Entry[] = []
  let order: Order = { by: "name", down: false }
  /** The row from which Shift chooses on. */
  let from = -1
  let isHiddenShown = false

  const visible = () => sorted(entries, order).filter(({ name }) => isHiddenShown || !name.startsWith("."))

  function tell(): void {
    const names = visible().map(({ name }) => name)
    for (const name of chosen) if (!names.includes(name)) chosen.delete(name)
    for (const row of body.children as Iterable<HTMLElement> & HTMLCollection) {
      const is = chosen.has((row as HTMLElement).dataset.name ?? "")
      row.setAttribute("aria-selected", String(is))
      const mark = row.querySelector("input")
      if (mark) mark.checked = is
    }
    all.checked = names.length > 0 && chosen.size === names.length
    all.indeterminate = chosen.size > 0 && !all.checked
    acts.chosen([...chosen])
  }

  function choose(at: number, is: boolean, further: boolean): void {
    const names = visible().map(({ name }) => name)
    const [first, last] = further && from >= 0 ? [Math.min(from, at), Math.max(from, at)] : [at, at]
    for (const name of names.slice(first, last + 1)) {
      if (is) chosen.add(name)
      else chosen.delete(name)
    }
    from = at
    tell()
  }

  function show(): void {
    const now = Date.now()
    body.replaceChildren(...visible().map((entry, at) => row(entry, at, now)))
    for (const head of document.querySelectorAll<HTMLElement>("[data-sort]")) {
      const is = head.dataset.sort === order.by
      if (is) head.setAttribute("aria-sort", order.down ? "descending" : "ascending")
      else head.removeAttribute("aria-sort")
    }
    tell()
  }

  function row(entry: Entry, at: number, now: number): HTMLElement {
    const one = document.createElement("tr")
    one.dataset.name = entry.name
    one.dataset.kind = entry.kind
    const mark = document.createElement("input")
    mark.type = "checkbox"
    mark.autocomplete = "off"
    mark.setAttribute("aria-label", `Choose ${entry.name}`)
    mark.addEventListener("click", event => choose(at, mark.checked, event.shiftKey))
    const name = document.createElement("button")
    name.type = "button"
    name.append(iconOf(entry), textIn("span", entry.name))
    name.title = entry.kind === "file" ? `Download ${entry.name}` : entry.name
    name.disabled = entry.kind === "other"
    name.addEventListener("click", () => acts.open(entry))
    const size = entry.size === null ? "" : sizeWords(entry.size)
    const time = timeWords(entry.changed, now)
    const small = textIn("small", [size, time].filter(Boolean).join(" · "))
    one.append(cell("choice", mark), cell("name", name, small), cell("size", size), cell("changed", time))
    ;(one.lastElementChild as HTMLElement).title = new Date(entry.changed).toLocaleString()
    return one
  }

  for (const head of document.querySelectorAll<HTMLElement>("[data-sort]")) {
    head.querySelector("button")?.addEventListener("click", () => {
      const by = head.dataset.sort as Column
      // The newest and the largest are looked for, not the oldest and the smallest.
      order = { by, down: by === order.by ? !order.down : by !== "name" }
      show()
    })
  }
  all.addEventListener("click", () => {
    const names = visible().map(({ name }) => name)
    chosen.clear()
    if (all.checked) for (const name of names) chosen.add(name)
    tell()
  })

  return {
    /** @param anew whether it is another folder than before */
    fill: (given: Entry[], anew: boolean) => {
      entries = given
      from = -1
      if (anew) chosen.clear()
      show()
    },
    clear: () => {
      chosen.clear()
      tell()
    },
    showHidden: (is: boolean) => {
      isHiddenShown = is
      show()
    },
    visible,
    find: (name: string) => entries.find(one => one.name === name),
  }
}

function cell(name: string, ...content: (Node | string)[]): HTMLElement {
  const one = document.createElement("td")
  one.className = name
  one.append(...content)
  return one
}

export function textIn(tag: string, text: string): HTMLElement {
  const one = document.createElement(tag)
  one.textContent = text
  return one
}

const ENDINGS: [RegExp, string][] = [
  [/\.(png|jpe?g|gif|webp|svg|avif|bmp|ico|heic)$/i, "picture"],
  [/\.(zip|tar|gz|tgz|xz|zst|bz2|7z|rar|deb)$/i, "archive"],
]

function iconOf({ kind, name }: Entry): Node {
  const icon = kind === "file" ? (ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? "file") : kind
  const template = element<HTMLTemplateElement>("icons").content
  const found = template.querySelector(`[data-icon="${icon}"]`)
  return found === null ? document.createTextNode("") : found.cloneNode(true)
}
