/// <reference lib="dom" />
import type { Listed } from "../agent/conversations/protocol.ts"
import { element } from "../viewer/dom.ts"
import { agoWords, STATES, TOOL_NAMES, titleOf } from "./words.ts"

const textIn = (tag: string, text: string, kind = "") => {
  const made = document.createElement(tag)
  made.textContent = text
  made.className = kind
  return made
}

/** Shows the conversations, each a link to its own address on this page. @param ref of the one that is open */
export function showList(all: readonly Listed[], ref: string | null): void {
  const had = document.activeElement?.getAttribute("data-ref") ?? null
  const rows = all.map(one => {
    const link = document.createElement("a")
    link.href = `#${encodeURIComponent(one.ref)}`
    link.dataset.ref = one.ref
    if (one.ref === ref) link.setAttribute("aria-current", "true")
    const { label, mood } = STATES[one.state]
    const head = document.createElement("span")
    head.className = "head"
    head.append(textIn("strong", titleOf(one)), textIn("span", label, `badge ${mood}`))
    const about = `${TOOL_NAMES[one.tool]} · ${one.folder} · ${agoWords(one.at, Date.now())}`
    link.append(head, ...(one.last === "" ? [] : [textIn("span", one.last, "last")]), textIn("span", about, "soft"))
    const row = document.createElement("li")
    row.append(link)
    return row
  })
  element("list").replaceChildren(...rows)
  element("none").hidden = all.length > 0
  if (had !== null)
    rows
      .find(({ firstElementChild: link }) => (link as HTMLElement).dataset.ref === had)
      ?.querySelector("a")
      ?.focus()
}
