/// <reference lib="dom" />

/**
 * Looks at the page it runs in (it is sent into a browser, so it uses nothing from outside itself) and tells what
 * stands in people's way: names, labels, references, headings, landmarks, target sizes, contrast, width.
 */
export function auditPage(): string[] {
  const faults: string[] = []
  const all = <T extends Element>(selector: string) => [...document.querySelectorAll<T>(selector)]
  const short = (element: Element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 110)
  const isShown = (element: Element) => {
    const { width, height } = element.getBoundingClientRect()
    return width > 0 && height > 0 && getComputedStyle(element).visibility === "visible"
  }
  const textOf = (ids: string | null) =>
    (ids ?? "")
      .split(/\s+/)
      .map(id => document.getElementById(id)?.textContent ?? "")
      .join(" ")
      .trim()

  const nameOf = (element: Element): string => {
    const labels = (element as HTMLInputElement).labels
    return (
      textOf(element.getAttribute("aria-labelledby")) ||
      element.getAttribute("aria-label") ||
      (labels &&
        [...labels]
          .map(label => label.textContent)
          .join(" ")
          .trim()) ||
      (element.matches("input, select, textarea") ? "" : (element.textContent ?? "").trim()) ||
      ""
    )
  }
  for (const control of all(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=progressbar], nav, [role=region]",
  )) {
    if (nameOf(control) === "" && !control.matches("nav:only-of-type")) faults.push(`no name: ${short(control)}`)
  }
  for (const image of all("img:not([alt])")) faults.push(`no alt: ${short(image)}`)
  for (const drawing of all("svg:not([aria-hidden=true])")) faults.push(`drawing is read out: ${short(drawing)}`)

  const ids = all("[id]").map(element => element.id)
  for (const id of ids.filter((one, index) => ids.indexOf(one) !== index)) faults.push(`id twice: ${id}`)
  for (const attribute of ["aria-describedby", "aria-labelledby", "for", "list"]) {
    for (const element of all(`[${attribute}]`)) {
      for (const id of (element.getAttribute(attribute) ?? "").split(/\s+/)) {
        if (!ids.includes(id)) faults.push(`${attribute} points nowhere: ${id}`)
      }
    }
  }
  for (const link of all<HTMLAnchorElement>('a[href^="#"]')) {
    if (!ids.includes(link.hash.slice(1))) faults.push(`link leads nowhere: ${short(link)}`)
  }

  if (document.documentElement.lang !== "en") faults.push("no language")
  if (document.title.trim() === "") faults.push("no title")
  for (const landmark of ["main", "h1", "header.top", "footer.foot"]) {
    if (all(landmark).length !== 1) faults.push(`${all(landmark).length} of ${landmark}`)
  }
  let level = 0
  for (const heading of all("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1])
    if (next > level + 1 && level !== 0) faults.push(`heading skips a level: ${short(heading)}`)
    level = next
  }

  for (const target of all("button, .button, input:not([type=hidden]), select, summary, .menu a")) {
    if (!isShown(target)) continue
    // A label around a small box makes all of it the target.
    const { width, height } = (target.closest("label") ?? target).getBoundingClientRect()
    if (width < 24 || height < 24) faults.push(`target of ${Math.round(width)}×${Math.round(height)}: ${short(target)}`)
  }

  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    const wide = all("main *").filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    faults.push(
      `scrolls sideways (${document.documentElement.scrollWidth}): ${wide.slice(0, 3).map(short).join(" | ")}`,
    )
  }

  // Colours of every notation, through what the browser itself paints.
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = 1
  const brush = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D
  type Colour = [number, number, number, number]
  const parse = (css: string): Colour => {
    brush.clearRect(0, 0, 1, 1)
    brush.fillStyle = css
    brush.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0, alpha = 0] = brush.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const over = (top: Colour, below: Colour): Colour => {
    const mix = (index: 0 | 1 | 2) => top[index] * top[3] + below[index] * (1 - top[3])
    return [mix(0), mix(1), mix(2), 1]
  }
  const light = (colour: Colour) => {
    const [red, green, blue] = ([0, 1, 2] as const).map(index => {
      const part = colour[index] / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0)
  }
  const contrast = (a: Colour, b: Colour) => {
    const [high = 0, low = 0] = [light(a), light(b)].sort((x, y) => y - x)
    return (high + 0.05) / (low + 0.05)
  }
  const styles = getComputedStyle(document.documentElement)
  // The page's ground goes from one of these to the other.
  const grounds = ["--ground", "--glow"].map(name => parse(styles.getPropertyValue(name)))
  const behind = (element: Element, ground: Colour): Colour => {
    const layers: Colour[] = []
    for (let at: Element | null = element; at !== null && at !== document.body; at = at.parentElement) {
      layers.unshift(parse(getComputedStyle(at).backgroundColor))
    }
    return layers.reduce((below, top) => over(top, below), ground)
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement
    if (element === null || node.textContent?.trim() === "" || !isShown(element)) continue
    if (element.closest(".visually-hidden, .skip, noscript, :disabled, [aria-disabled], label:has(:disabled)")) continue
    const { color, fontSize, fontWeight } = getComputedStyle(element)
    const large =
      Number.parseFloat(fontSize) >= 24 || (Number.parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700)
    const worst = Math.min(
      ...grounds.map(ground => {
        const below = behind(element, ground)
        return contrast(over(parse(color), below), below)
      }),
    )
    if (worst < (large ? 3 : 4.5)) faults.push(`contrast ${worst.toFixed(2)}: ${short(element)}`)
  }
  // The edge is what tells a field from the ground.
  for (const field of all("input:not([type=hidden], [type=radio]), select")) {
    if (!isShown(field)) continue
    const parent = field.parentElement ?? document.body
    const worst = Math.min(
      ...grounds.map(ground => {
        const below = behind(parent, ground)
        return contrast(over(parse(getComputedStyle(field).borderTopColor), below), below)
      }),
    )
    if (worst < 3) faults.push(`edge of contrast ${worst.toFixed(2)}: ${short(field)}`)
  }
  return faults
}
