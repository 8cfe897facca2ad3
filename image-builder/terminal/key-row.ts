/// <reference lib="dom" />
import { element, keepFocus, marked } from "../viewer/dom.ts"
import { MODIFIERS, type Modifier } from "../viewer/keys.ts"
import { createSticky } from "../viewer/sticky.ts"
import { keyBytes, withAlt, withControl } from "./typed.ts"
import type { View } from "./view.ts"

/** Keys that a phone's keyboard does not have. */
export function createKeyRow(active: () => View | undefined, paste: () => void) {
  const [row, toggle] = [element("keys"), element("keyboard")]
  const sticky = createSticky((modifier, hold) => {
    for (const [button, name] of marked(row, "sticky")) {
      if (name !== modifier) continue
      button.dataset.hold = hold
      button.setAttribute("aria-pressed", String(hold !== "off"))
    }
  })
  const show = (on: boolean) => {
    row.hidden = !on
    toggle.setAttribute("aria-pressed", String(on))
    if (!on) sticky.clear()
  }
  for (const button of [toggle, ...row.querySelectorAll("button")]) keepFocus(button as HTMLElement)
  toggle.addEventListener("click", () => show(row.hidden !== false))
  for (const [button, modifier] of marked(row, "sticky")) {
    button.addEventListener("click", () => sticky.tap(modifier as Modifier))
  }
  for (const [button, key] of marked(row, "key")) {
    button.addEventListener("click", () => {
      if (key === "paste") return paste()
      const application = active()?.terminal()?.modes.applicationCursorKeysMode ?? false
      active()?.type(keyBytes(key, application))
    })
  }
  for (const [button, text] of marked(row, "text")) {
    button.addEventListener("click", () => active()?.type(new TextEncoder().encode(text)))
  }
  show(matchMedia("(hover: none)").matches)
  return {
    /** What typed text becomes with Ctrl and Alt held in the row. */
    held: (bytes: Uint8Array): Uint8Array => {
      const keys = sticky.take()
      const controlled = keys.includes(MODIFIERS.ctrl) ? withControl(bytes) : bytes
      return keys.includes(MODIFIERS.alt) ? withAlt(controlled) : controlled
    },
  }
}
