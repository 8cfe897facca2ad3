/// <reference lib="dom" />

/** The element of index.html with this id. A missing one is a mistake in the page, so it is said at once. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`No element #${id}`)
  return found as T
}

/** Every element inside `root` that carries the data attribute, with the attribute's value. */
export function marked(root: ParentNode, attribute: string): [HTMLElement, string][] {
  return [...root.querySelectorAll<HTMLElement>(`[data-${attribute}]`)].map(found => [
    found,
    found.getAttribute(`data-${attribute}`) ?? "",
  ])
}

/** A press must not take the focus from the desktop (or close a phone's keyboard). */
export function keepFocus(target: HTMLElement): void {
  target.addEventListener("pointerdown", event => event.preventDefault())
  target.addEventListener("mousedown", event => event.preventDefault())
}
