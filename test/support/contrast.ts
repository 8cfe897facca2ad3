/// <reference lib="dom" />
import type { Page } from "playwright-core"

export interface Contrast {
  text: string
  /** By WCAG 2: 1 to 21; 4.5 is enough for text of any size. */
  ratio: number
}

/** The contrast of every text on the page with the colour behind it; colours must be opaque or wholly clear. */
export function contrasts(page: Page): Promise<Contrast[]> {
  return page.evaluate(() => {
    const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = (colour: string) => {
      const [r = 0, g = 0, b = 0] = channels(colour).map(value => {
        const part = value / 255
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = (element: Element | null): string => {
      if (!element) return "rgb(255, 255, 255)"
      const colour = getComputedStyle(element).backgroundColor
      return channels(colour)[3] === 0 ? behind(element.parentElement) : colour
    }
    const found: { text: string; ratio: number }[] = []
    for (const element of document.body.querySelectorAll("*")) {
      const text = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim())
      if (text.length === 0) continue
      const [light = 0, dark = 0] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort(
        (a, b) => b - a,
      )
      found.push({ text: element.textContent ?? "", ratio: (light + 0.05) / (dark + 0.05) })
    }
    return found
  })
}
