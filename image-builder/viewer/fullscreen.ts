/// <reference lib="dom" />

type KeyboardLock = { keyboard?: { lock?: () => Promise<void>; unlock?: () => void } }

/** Full screen, and with it (where the browser can) the keys it would otherwise keep: Ctrl+W, Alt+Tab, Esc held short. */
export function createFullScreen(button: HTMLButtonElement) {
  const root = document.documentElement
  if (typeof root.requestFullscreen !== "function") button.hidden = true
  button.addEventListener("click", async () => {
    try {
      if (document.fullscreenElement !== null) return await document.exitFullscreen()
      await root.requestFullscreen({ navigationUI: "hide" })
      await (navigator as KeyboardLock).keyboard?.lock?.()
    } catch {
      // Refused by the browser: the page stays as it is.
    }
  })
  document.addEventListener("fullscreenchange", () => {
    const on = document.fullscreenElement !== null
    button.setAttribute("aria-pressed", String(on))
    button.querySelector(".label")?.replaceChildren(on ? "Leave full screen" : "Full screen")
    if (!on) (navigator as KeyboardLock).keyboard?.unlock?.()
  })
}
