/// <reference lib="dom" />

/**
 * Loads this page again and puts its element `id` in the place of the one that is shown. What was folded out stays
 * so, and the focus stays where it was. Signed out meanwhile: the whole page is loaded.
 * @param more elements that are put anew with it
 * @param wanted asked about the new element first; it is not shown when the answer is no
 * @returns was it put in place?
 */
export async function renew(
  id: string,
  more: readonly string[] = [],
  wanted = (_fresh: HTMLElement) => true,
): Promise<boolean> {
  const shown = document.getElementById(id)
  const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null)
  if (response === null || shown === null) return false
  if (response.redirected || response.status === 401) {
    location.reload()
    return false
  }
  if (!response.ok) return false
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const fresh = page.getElementById(id)
  if (fresh === null || !wanted(fresh)) return false
  document.title = page.title
  put(shown, fresh)
  for (const one of more) {
    const [old, its] = [document.getElementById(one), page.getElementById(one)]
    if (old !== null && its !== null) put(old, its)
  }
  return true
}

function put(shown: HTMLElement, fresh: HTMLElement): void {
  for (const open of shown.querySelectorAll<HTMLDetailsElement>("details[open][id]")) {
    const same = fresh.querySelector<HTMLDetailsElement>(`#${CSS.escape(open.id)}`)
    if (same !== null) same.open = true
  }
  const focused = focusWithin(shown)
  shown.replaceWith(fresh)
  if (focused !== null) keepFocus(fresh, focused)
}

function focusWithin(shown: HTMLElement): Element | null {
  const active = document.activeElement
  return active !== null && shown.contains(active) ? active : null
}

/** To the element that is the same by id or address; else to the part itself, so that the place is not lost. */
function keepFocus(fresh: HTMLElement, focused: Element): void {
  const href = focused.getAttribute("href")
  const same =
    focused.id !== ""
      ? fresh.querySelector<HTMLElement>(`#${CSS.escape(focused.id)}`)
      : href !== null && fresh.querySelector<HTMLElement>(`[href="${CSS.escape(href)}"]`)
  if (!same) fresh.tabIndex = -1
  const target = same || fresh
  target.focus({ preventScroll: true })
}
