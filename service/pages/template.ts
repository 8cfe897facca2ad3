/** Where in the markup a value of a template stands; each place is escaped in its own way. */
export type Place = "text" | "attribute" | "url" | "url-part" | "attributes"

const URL_ATTRIBUTES = new Set(["href", "src", "action", "formaction", "poster", "cite", "data", "xlink:href"])
const FORBIDDEN_ATTRIBUTE = /^(on|style$|srcdoc$)/
/** Elements in which nothing can be escaped in a way that holds. */
const RAW_ELEMENTS = new Set(["script", "style", "iframe", "noembed", "noframes", "plaintext", "xmp"])

export const isUrlAttribute = (name: string) => URL_ATTRIBUTES.has(name.toLowerCase())
export const isForbiddenAttribute = (name: string) => FORBIDDEN_ATTRIBUTE.test(name.toLowerCase())

interface Scan {
  where: "text" | "tag" | "value" | "comment"
  /** Name of the element whose start tag was read last. */
  element: string
  attribute: string
  quote: string
  /** Literal text of the attribute's value so far. */
  value: string
}

/**
 * Says for every hole of a template where it stands.
 * @throws Error for a hole that cannot be made safe: in a script or style, in a comment, in a tag's or attribute's
 *   name, in a value without quotes, in an event handler or a style attribute
 */
export function placesOf(literals: readonly string[]): Place[] {
  const scan: Scan = { where: "text", element: "", attribute: "", quote: "", value: "" }
  return literals.slice(0, -1).map(literal => {
    read(scan, literal)
    return placeAfter(scan, literal)
  })
}

function placeAfter(scan: Scan, literal: string): Place {
  const near = literal.slice(-40)
  if (scan.where === "text") {
    if (RAW_ELEMENTS.has(scan.element)) throw new Error(`No value may stand in <${scan.element}>: ${near}`)
    if (/<\/?[a-z]*$/i.test(literal)) throw new Error(`No value may stand in a tag's name: ${near}`)
    return "text"
  }
  if (scan.where === "comment") throw new Error(`No value may stand in a comment: ${near}`)
  if (scan.where === "tag") {
    if (!/[^=\s]\s+$|^\s+$/.test(literal))
      throw new Error(`A value in a tag must be quoted, or stand alone after a space: ${near}`)
    return "attributes"
  }
  if (isForbiddenAttribute(scan.attribute)) throw new Error(`No value may stand in ${scan.attribute}: ${near}`)
  if (!isUrlAttribute(scan.attribute)) return "attribute"
  const first = scan.value === ""
  // What follows in the same value can no longer change where the URL leads.
  scan.value += "x"
  return first ? "url" : "url-part"
}

/** Reads one literal, going on where the last one ended. */
function read(scan: Scan, literal: string): void {
  let at = 0
  while (at < literal.length) {
    const rest = literal.slice(at)
    if (scan.where === "text") at += readText(scan, rest)
    else if (scan.where === "comment") at += readComment(scan, rest)
    else if (scan.where === "value") at += readValue(scan, rest)
    else at += readTag(scan, rest)
  }
}

function readText(scan: Scan, rest: string): number {
  const raw = RAW_ELEMENTS.has(scan.element) ? new RegExp(`</${scan.element}\\s*>`, "i") : null
  if (raw !== null) {
    const end = raw.exec(rest)
    if (end === null) return rest.length
    scan.element = ""
    return end.index + end[0].length
  }
  const found = /<!--|<(\/?[a-z][^\s/>]*)/i.exec(rest)
  if (found === null) return rest.length
  const name = found[1]
  scan.where = name === undefined ? "comment" : "tag"
  if (name !== undefined) scan.element = name.toLowerCase()
  return found.index + found[0].length
}

function readComment(scan: Scan, rest: string): number {
  const end = rest.indexOf("-->")
  if (end === -1) return rest.length
  scan.where = "text"
  return end + 3
}

function readTag(scan: Scan, rest: string): number {
  const value = /^([^\s=>/"']+)\s*=\s*(["'])/.exec(rest)
  if (value !== null) {
    scan.where = "value"
    scan.attribute = value[1] ?? ""
    scan.quote = value[2] ?? ""
    scan.value = ""
    return value[0].length
  }
  if (rest.startsWith(">")) {
    scan.where = "text"
    return 1
  }
  return /^[^\s=>/"']+/.exec(rest)?.[0].length ?? 1
}

function readValue(scan: Scan, rest: string): number {
  const end = rest.indexOf(scan.quote)
  scan.value += end === -1 ? rest : rest.slice(0, end)
  if (end === -1) return rest.length
  scan.where = "tag"
  return end + 1
}
