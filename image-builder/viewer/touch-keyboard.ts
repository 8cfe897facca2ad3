/// <reference lib="dom" />
import { characterKey, type Key, parseCombination } from "./keys.ts"
import { textChange } from "./typed.ts"

// Something must be there for the phone's backspace to take away.
const FILL = "\u00a0".repeat(64)
const PASSED_ON: Record<string, string> = {
  ArrowLeft: "left",
  ArrowUp: "up",
  ArrowRight: "right",
  ArrowDown: "down",
  Escape: "esc",
  Tab: "tab",
  Home: "home",
  End: "end",
}

/** A field nobody sees: focusing it brings the phone's keyboard up, and what is typed into it goes to the desktop. */
export function createTouchKeyboard(
  field: HTMLTextAreaElement,
  press: (key: Key) => void,
  shown: (on: boolean) => void,
) {
  let last = FILL
  let composing = false
  const reset = () => {
    field.value = FILL
    last = FILL
    field.setSelectionRange(FILL.length, FILL.length)
  }
  const read = () => {
    const { removed, added } = textChange(last, field.value)
    last = field.value
    for (let count = 0; count < removed; count++) press([0xff08, "Backspace"])
    for (const character of added) press(characterKey(character))
    // Touching the text while the phone composes a word would break the word.
    if (!composing && Math.abs(field.value.length - FILL.length) > 32) reset()
  }
  field.addEventListener("compositionstart", () => {
    composing = true
  })
  field.addEventListener("compositionend", () => {
    composing = false
  })
  field.addEventListener("input", read)
  field.addEventListener("keydown", event => {
    const name = PASSED_ON[event.key]
    if (name === undefined || event.isComposing) return
    event.preventDefault()
    for (const key of parseCombination(name)) press(key)
  })
  field.addEventListener("focus", () => {
    reset()
    shown(true)
  })
  field.addEventListener("blur", () => shown(false))
  return {
    toggle: () => (document.activeElement === field ? field.blur() : field.focus({ preventScroll: true })),
    hide: () => field.blur(),
  }
}
