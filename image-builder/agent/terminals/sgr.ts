/** Attributes of text, as far as they have to be taken up again after a line's end. */
export interface Attributes {
  /** Takes the next line. @returns the sequence that brings about what is in force after it; "" when nothing is */
  after(line: string): string
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what such a sequence begins with
const SEQUENCE = /\x1b\[([\d;:]*)m/g
const isColour = (code: number, base: number) =>
  (code >= base && code <= base + 9) || (code >= base + 60 && code <= base + 67)

/**
 * tmux writes the lines it captures as one text: what is in force at a line's end goes on in the next. A terminal that
 * scrolls fills the new line with the colour in force, so that has to end with the line and begin again after it.
 */
export function createAttributes(): Attributes {
  let [foreground, background, underline] = ["", "", ""]
  let others: string[] = []

  function take(parameters: string[]): void {
    for (let at = 0; at < parameters.length; at++) {
      const one = parameters[at] ?? ""
      const code = Number.parseInt(one || "0", 10)
      let whole = one
      // 38;5;N and 38;2;R;G;B, unless they come in one with colons.
      if ([38, 48, 58].includes(code) && !one.includes(":")) {
        const length = parameters[at + 1] === "5" ? 3 : 5
        whole = parameters.slice(at, at + length).join(";")
        at += length - 1
      }
      if (code === 0) {
        foreground = background = underline = ""
        others = []
      } else if (isColour(code, 30)) foreground = code === 39 ? "" : whole
      else if (isColour(code, 40)) background = code === 49 ? "" : whole
      else if (code === 58 || code === 59) underline = code === 59 ? "" : whole
      else if (!others.includes(whole)) others.push(whole)
    }
  }

  return {
    after: line => {
      for (const [, parameters = ""] of line.matchAll(SEQUENCE)) take(parameters.split(";"))
      const all = [...others, foreground, background, underline].filter(one => one !== "")
      return all.length === 0 ? "" : `\x1b[${all.join(";")}m`
    },
  }
}
