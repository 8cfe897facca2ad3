/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"

/** The panel of what is needed less often. */
export function createMenu(acts: {
  rename: () => void
  fit: () => void
  end: () => void
  letters: (by: 1 | -1) => number
  viewOnly: (on: boolean) => void
}) {
  const [menu, button, letters] = [element("menu"), element("menu-button"), element("letters")]
  const show = (on: boolean) => {
    menu.hidden = !on
    button.setAttribute("aria-expanded", String(on))
  }
  button.addEventListener("click", () => show(menu.hidden !== false))
  for (const name of ["rename", "fit", "end"] as const) {
    element(name).addEventListener("click", () => {
      show(false)
      acts[name]()
    })
  }
  const change = (by: 1 | -1) => {
    letters.textContent = String(acts.letters(by))
  }
  element("smaller").addEventListener("click", () => change(-1))
  element("larger").addEventListener("click", () => change(1))
  const viewOnly = element<HTMLInputElement>("view-only")
  viewOnly.addEventListener("change", () => {
    document.documentElement.dataset.viewOnly = String(viewOnly.checked)
    acts.viewOnly(viewOnly.checked)
  })
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
    setLetters: (size: number) => {
      letters.textContent = String(size)
    },
    setService: (address: string | null | undefined) => {
      const link = element<HTMLAnchorElement>("service-link")
      link.hidden = !address || !/^https?:\/\//.test(address)
      if (!link.hidden && address) link.href = new URL("/", address).href
    },
  }
}
