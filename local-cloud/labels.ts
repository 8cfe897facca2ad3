import { invalidInput } from "./errors.ts"

type Labels = Record<string, string>
type Term = (labels: Labels) => boolean

// Key: optional DNS prefix and a name; value: up to 63 characters. As Hetzner's description has them.
const KEY = /^(?:[a-z0-9A-Z](?:[a-z0-9A-Z.-]{0,251}[a-z0-9A-Z])?\/)?[a-z0-9A-Z](?:[a-z0-9A-Z_.-]{0,61}[a-z0-9A-Z])?$/
const VALUE = /^(?:[a-z0-9A-Z](?:[a-z0-9A-Z_.-]{0,61}[a-z0-9A-Z])?)?$/

/** True for labels Hetzner would take. */
export function areLabels(labels: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => KEY.test(key) && VALUE.test(value))
}

/**
 * A label selector as a predicate: `k`, `!k`, `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas.
 * @throws ApiError `invalid_input` for anything else
 */
export function parseSelector(text: string): Term {
  const terms = splitTerms(text).map(parseTerm)
  return labels => terms.every(term => term(labels))
}

/** Splits at the commas outside brackets. */
function splitTerms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map(term => term.trim())
    .filter(term => term !== "")
}

function parseTerm(term: string): Term {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term)
  if (set) {
    const [, key = "", operator, list = ""] = set
    const values = new Set(list.split(",").map(value => value.trim()))
    known(key, term, ...values)
    return operator === "in"
      ? labels => has(labels, key) && values.has(labels[key] ?? "")
      : labels => !values.has(labels[key] ?? "\0")
  }
  const comparison = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term)
  if (comparison) {
    const [, key = "", operator, value = ""] = comparison
    known(key, term, value)
    return operator === "!=" ? labels => labels[key] !== value : labels => labels[key] === value
  }
  const negated = term.startsWith("!")
  const key = negated ? term.slice(1) : term
  known(key, term)
  return labels => has(labels, key) !== negated
}

const has = (labels: Labels, key: string) => Object.hasOwn(labels, key)

function known(key: string, term: string, ...values: string[]): void {
  if (!KEY.test(key) || !values.every(value => VALUE.test(value)))
    throw invalidInput([{ name: "label_selector", messages: [`"${term}" is not a label selector`] }])
}
