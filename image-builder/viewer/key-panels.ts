/// <reference lib="dom" />
import { element, keepFocus, marked } from "./dom.ts"
import { type Key, type Modifier, parseCombination, pressTogether } from "./keys.ts"
import { createSticky } from "./sticky.ts"
import { createTouchKeyboard } from "./touch-keyboard.ts"

/** Every button that stands for a key: the panel of combinations a browser keeps for itself, and the row for phones. */
export function createKeyPanels(send: (keysym: number, code: string, down: boolean) => void): void {
  const row = element("key-row")
  const toggle = element<HTMLButtonElement>("keyboard")
  const sticky = createSticky((modifier, hold) => {
    for (const [button, name] of marked(document, "sticky"))
      if (name === modifier) {
        button.dataset.hold = hold
        button.setAttribute("aria-pressed", String(hold !== "off"))
      }
  })
  const press = (...keys: Key[]) => pressTogether([...sticky.take(), ...keys], send)

  for (const [button, combination] of marked(document, "keys")) {
    keepFocus(button)
    button.addEventListener("click", () => press(...parseCombination(combination)))
  }
  for (const [button, modifier] of marked(document, "sticky")) {
    keepFocus(button)
    button.addEventListener("click", () => sticky.tap(modifier as Modifier))
  }

  const keyboard = createTouchKeyboard(element("touch-input"), press, on => {
    toggle.setAttribute("aria-pressed", String(on))
    row.hidden = !on
    if (!on) sticky.clear()
    place()
  })
  keepFocus(toggle)
  toggle.addEventListener("click", keyboard.toggle)
  const hide = element("key-row-hide")
  keepFocus(hide)
  hide.addEventListener("click", keyboard.hide)

  // The phone's keyboard covers the page's lower part: the row rides on its upper edge, and the desktop ends above both.
  const place = () => {
    const view = window.visualViewport
    const covered = row.hidden || view === null ? 0 : Math.max(0, window.innerHeight - view.height - view.offsetTop)
    document.body.style.setProperty("--covered", `${covered}px`)
    document.body.style.setProperty("--below", `${covered + row.offsetHeight}px`)
  }
  window.visualViewport?.addEventListener("resize", place)
  window.visualViewport?.addEventListener("scroll", place)
}
