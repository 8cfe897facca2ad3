/// <reference lib="dom" />
import type { Said } from "../agent/conversations/said.ts"
import { element } from "../viewer/dom.ts"

const WHO: Record<Said["who"], string> = { person: "You", agent: "Agent", call: "Tool", result: "Result" }
/** So near its end somebody follows what comes, px. */
const NEAR = 80

/** What was said in the open conversation, which grows at its end. */
export function createTalk() {
  const [talk, said] = [element("talk"), element("said")]
  const isAtEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR
  const toEnd = () => {
    talk.scrollTop = talk.scrollHeight
  }

  function rowOf({ who, text }: Said): HTMLElement {
    const row = document.createElement("li")
    row.className = who
    const name = document.createElement("span")
    name.className = "who"
    name.textContent = WHO[who]
    row.append(name, ...(who === "call" || who === "result" ? [pre(text)] : partsOf(text)))
    return row
  }
  return {
    clear: () => said.replaceChildren(),
    /** The first `drop` go, `keep` of the rest stay, then `more` follow. */
    change: (drop: number, keep: number, more: readonly Said[]) => {
      const follows = isAtEnd() || said.childElementCount === 0
      const stays = [...said.children].slice(drop, drop + keep)
      for (const row of [...said.children]) if (!stays.includes(row)) row.remove()
      said.append(...more.map(rowOf))
      if (follows) toEnd()
    },
    toEnd,
  }
}

function pre(text: string): HTMLElement {
  const made = document.createElement("pre")
  made.textContent = text
  return made
}

/** Text with its blocks of code; all else stays as it was written. */
function partsOf(text: string): HTMLElement[] {
  return text.split(/^```[^\n]*\n?/m).flatMap((part, at) => {
    if (part.trim() === "") return []
    if (at % 2 === 1) return [pre(part.replace(/\n$/, ""))]
    const made = document.createElement("p")
    made.textContent = part.trim()
    return [made]
  })
}
