/// <reference lib="dom" />

const STAYS = 7_000
const AT_ONCE = 3

/**
 * Short messages that go by themselves; a warning of the machine is read out at once, the rest when there is time.
 * Pressed, they go, and do what they offer.
 */
export function createToasts(place: HTMLElement) {
  return (text: string, kind: "note" | "warning" = "note", act = () => {}): void => {
    const same = [...place.children].find(child => child.textContent === text)
    same?.remove()
    const toast = document.createElement("button")
    toast.type = "button"
    toast.className = `toast ${kind}`
    toast.title = "Dismiss"
    if (kind === "warning") toast.setAttribute("role", "alert")
    toast.textContent = text
    toast.addEventListener("click", () => {
      toast.remove()
      act()
    })
    place.append(toast)
    while (place.children.length > AT_ONCE) place.firstElementChild?.remove()
    setTimeout(() => toast.remove(), kind === "warning" ? STAYS * 2 : STAYS)
  }
}
