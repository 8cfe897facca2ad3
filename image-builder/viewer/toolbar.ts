/// <reference lib="dom" />
import { element, marked } from "./dom.ts"

const REST = 3_500

/**
 * The handle at the upper edge, the bar it opens, and one panel at a time below the bar. Left alone, the handle fades and
 * an open bar without a panel folds up. Ctrl+Alt+Shift, pressed and let go, opens it from the keyboard: the desktop takes every
 * other key, Tab included.
 */
export function createToolbar(backToDesktop: () => void) {
  const [root, handle, bar] = [element("toolbar"), element<HTMLButtonElement>("handle"), element("bar")]
  const panels = marked(bar, "panel").map(([button, id]) => ({ button, panel: element(id) }))
  let rest: ReturnType<typeof setTimeout> | undefined

  const openPanel = () => panels.find(({ panel }) => !panel.hidden)
  const isOpen = () => root.dataset.open === "true"

  const wake = () => {
    clearTimeout(rest)
    root.dataset.resting = "false"
    rest = setTimeout(() => {
      if (openPanel() !== undefined || root.matches(":hover, :has(:focus-visible)")) return wake()
      setOpen(false)
      root.dataset.resting = "true"
    }, REST)
  }
  const setPanel = (id: string | undefined) => {
    for (const { button, panel } of panels) {
      panel.hidden = panel.id !== id
      button.setAttribute("aria-expanded", String(panel.id === id))
    }
    const shown = openPanel()?.panel
    shown?.querySelector<HTMLElement>("textarea, input:checked, button, input")?.focus({ preventScroll: true })
  }
  const setOpen = (open: boolean) => {
    root.dataset.open = String(open)
    bar.inert = !open
    handle.setAttribute("aria-expanded", String(open))
    handle.setAttribute("aria-label", open ? "Hide the foozol toolbar" : "Show the foozol toolbar")
    if (!open) setPanel(undefined)
  }
  const toggle = () => {
    setOpen(!isOpen())
    wake()
    if (isOpen()) handle.focus()
    else backToDesktop()
  }

  handle.addEventListener("click", toggle)
  for (const { button, panel } of panels)
    button.addEventListener("click", () => setPanel(panel.hidden ? panel.id : undefined))
  for (const type of ["pointermove", "pointerdown", "focusin", "keydown"]) root.addEventListener(type, wake)
  root.addEventListener("keydown", event => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    const shown = openPanel()
    setPanel(undefined)
    if (shown !== undefined) shown.button.focus()
    else {
      setOpen(false)
      backToDesktop()
    }
  })
  // Near the upper edge the handle comes back; a press on the desktop folds everything up.
  window.addEventListener("pointermove", event => event.clientY < 48 && wake(), { passive: true })
  element("screen").addEventListener("pointerdown", () => setOpen(false), { capture: true })
  onChord(toggle)

  setOpen(false)
  wake()
  return { closePanel: () => setPanel(undefined), close: () => setOpen(false) }
}

/** Fires when the three keys are let go, so that the desktop has seen each of them come up. */
function onChord(act: () => void): void {
  const names = ["Control", "Alt", "Shift"]
  let armed = false
  const listen = (event: KeyboardEvent) => {
    const held = [event.ctrlKey, event.altKey, event.shiftKey].filter(Boolean).length
    if (event.type === "keydown") armed = names.includes(event.key) ? armed || held === 3 : false
    else if (armed && held === 0) {
      armed = false
      // After the desktop's own handler has had the event.
      setTimeout(act)
    }
  }
  window.addEventListener("keydown", listen, { capture: true })
  window.addEventListener("keyup", listen, { capture: true })
}
