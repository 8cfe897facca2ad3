import { isForbiddenAttribute, isUrlAttribute, type Place, placesOf } from "./template.ts"

/** Markup that is safe to be sent. Only `html` and `trusted` make it. */
export class Html {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}

/** Attributes for a start tag, made by `attributes`. */
export class Attributes {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}

/** What may stand in a template. null, undefined and false print nothing. */
export type Value = string | number | Html | Attributes | null | undefined | false | readonly Value[]

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
}

/** Text as it may stand between tags and in a quoted attribute. */
export const escapeText = (text: string) => text.replace(/[&<>"'`]/g, character => ENTITIES[character] ?? "")

/**
 * A URL that leads to a web page: a path on this site (`/…`, `?…`, `#…`) or an http or https address, as it is;
 * anything else (`javascript:`, `//host`, `/\host`, with control characters or spaces) as `#`.
 */
export function safeUrl(url: string): string {
  // Browsers drop tabs and line ends inside a URL, so `/<tab>/host` would lead away.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (/[\u0000-\u0020\u007f-\u009f\\]/.test(url)) return "#"
  if (/^[?#]/.test(url) || /^\/(?!\/)/.test(url)) return url
  return /^https?:\/\/[^/?#]/i.test(url) && URL.canParse(url) ? url : "#"
}

const known = new WeakMap<TemplateStringsArray, Place[]>()

/**
 * Makes markup from a template. Every value is escaped for the place it stands in: text, quoted attributes, URLs
 * (checked with `safeUrl`; behind a literal prefix percent-encoded), and `attributes(…)` alone in a start tag.
 * @throws Error for a value in a place that cannot be made safe; see `placesOf`
 */
export function html(literals: TemplateStringsArray, ...values: Value[]): Html {
  let places = known.get(literals)
  if (places === undefined) {
    places = placesOf(literals)
    known.set(literals, places)
  }
  let text = literals[0] ?? ""
  for (const [index, value] of values.entries()) {
    text += render(value, places[index] ?? "text") + (literals[index + 1] ?? "")
  }
  return new Html(text)
}

function render(value: Value, place: Place): string {
  if (value === null || value === undefined || value === false) return ""
  if (isList(value)) return value.map(one => render(one, place)).join("")
  if (place === "attributes") {
    if (value instanceof Attributes) return String(value)
    throw new Error("Only attributes(…) may stand alone in a start tag")
  }
  if (value instanceof Attributes) throw new Error("attributes(…) may stand in a start tag only")
  if (place === "text") return value instanceof Html ? String(value) : escapeText(String(value))
  if (value instanceof Html) throw new Error("Markup may not stand in an attribute")
  if (place === "url") return escapeText(safeUrl(String(value)))
  return escapeText(place === "url-part" ? encodeURIComponent(wellFormed(String(value))) : String(value))
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

/** Half a surrogate pair cannot be percent-encoded. */
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, "\ufffd")

/**
 * Attributes by name. `true` is an attribute without a value; null, undefined and false leave it out.
 * @throws Error for event handlers, `style`, `srcdoc` and what is no name
 */
export function attributes(all: Record<string, string | number | boolean | null | undefined>): Attributes {
  const parts = Object.entries(all).map(([name, value]) => {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || isForbiddenAttribute(name)) throw new Error(`No attribute ${name} here`)
    if (value === null || value === undefined || value === false) return ""
    if (value === true) return ` ${name}`
    return ` ${name}="${escapeText(isUrlAttribute(name) ? safeUrl(String(value)) : String(value))}"`
  })
  return new Attributes(parts.join("").trimStart())
}

/** Markup written in this program itself, such as an icon; never anything that came from outside. */
export const trusted = (markup: string) => new Html(markup)
