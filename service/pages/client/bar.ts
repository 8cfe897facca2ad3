/// <reference lib="dom" />

/** Sets a bar's length; the spoken value only when it is another whole percent. */
export function setBar(bar: HTMLElement, fraction: number): void {
  bar.querySelector("rect")?.setAttribute("width", `${(fraction * 100).toFixed(2)}%`)
  const percent = String(Math.floor(fraction * 100))
  if (bar.getAttribute("aria-valuenow") !== percent) bar.setAttribute("aria-valuenow", percent)
}

export function setText(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text
}
