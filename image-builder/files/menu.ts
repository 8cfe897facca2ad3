/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"

/** The panel of what is needed less often. @param acts what its buttons do, by their ids */
export function createMenu(acts: Record<string, () => void>) {
  const [menu, button] = [element("menu"), element("menu-button")]
  const show = (on: boolean) => {
    menu.hidden = !on
    button.setAttribute("aria-expanded", String(on))
  }
  button.addEventListener("click", () => show(menu.hidden !== false))
  for (const [name, act] of Object.entries(acts)) {
    element(name).addEventListener("click", () => {
      show(false)
      act()
    })
  }
  window.addEventListener("pointerdown", event => {
    const inside = event.target instanceof Node && (menu.contains(event.target) || button.contains(event.target))
    if (!inside) show(false)
  })
  menu.addEventListener("keydown", event => {
    if (event.key !== "Escape") return
    show(false)
    button.focus()
  })
  return {
    setService: (address: string | null | undefined) => {
      const link = element<HTMLAnchorElement>("service-link")
      link.hidden = !address || !/^https?:\/\//.test(address)
      if (!link.hidden && address) link.href = new URL("/", address).href
    },
  }
}
