import { attributes, type Html, html } from "./html.ts"

interface Bar {
  label: string
  /** From 0 to 1; null when only that it moves is known. */
  fraction: number | null
  id?: string
  /** The same in words for who hears the page. */
  valueText?: string
  more?: Record<string, string | number | null>
}

/** A bar whose length stands in an attribute of a drawing, since the policy admits no style attributes. */
export function progressBar({ label, fraction, id, valueText, more = {} }: Bar): Html {
  const percent = fraction === null ? null : Math.floor(fraction * 100)
  return html`<div ${attributes({
    id,
    class: fraction === null ? "bar unknown" : "bar",
    role: "progressbar",
    "aria-label": label,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    "aria-valuenow": percent,
    "aria-valuetext": valueText,
    ...more,
  })}><svg width="100%" height="100%" aria-hidden="true" focusable="false"><rect class="bar-fill" height="100%" width="${percent ?? 30}%"/></svg></div>`
}
