import { type Html, html } from "../html.ts"
import { type OpenApi, refName, resolve, type Schema } from "./open-api.ts"
import { prose } from "./prose.ts"

/** Levels of objects within objects that are written out. */
const DEEPEST = 5

/** The fields of a schema as a list; for one without fields, what it is. */
export function schemaView(api: OpenApi, schema: Schema, seen: readonly Schema[] = []): Html {
  const whole = fieldsOf(api, schema)
  if (whole === null) return html`<p class="small">${typeWords(api, schema)}${limits(resolve(api, schema))}</p>`
  const { fields, required } = whole
  return html`<ul class="props" role="list">${Object.entries(fields).map(([name, field]) =>
    property(api, { name, field, required: required.includes(name) }, [...seen, resolve(api, schema)]),
  )}</ul>`
}

interface Property {
  name: string
  field: Schema
  required: boolean
}

function property(api: OpenApi, { name, field, required }: Property, seen: readonly Schema[]): Html {
  const whole = resolve(api, field)
  const inner = innerObject(api, field)
  const goesDeeper = inner !== null && seen.length < DEEPEST && !seen.includes(resolve(api, inner))
  return html`<li><code class="prop-name">${name}</code> <span class="soft small">${typeWords(api, field)}${required && ", required"}${whole.writeOnly && ", never shown"}${limits(whole)}</span>
${whole.description !== undefined && html`<div class="small">${prose(whole.description)}</div>`}${goesDeeper && schemaView(api, inner, seen)}</li>\n`
}

/** The object in a schema, or in the items of one, that has fields to show. */
function innerObject(api: OpenApi, schema: Schema): Schema | null {
  const whole = resolve(api, schema)
  if (whole.items !== undefined) return innerObject(api, whole.items)
  if (fieldsOf(api, whole) !== null) return schema
  const object = (whole.anyOf ?? whole.oneOf ?? []).filter(one => fieldsOf(api, one) !== null)
  return object.length === 1 ? (object[0] ?? null) : null
}

function fieldsOf(api: OpenApi, schema: Schema): { fields: Record<string, Schema>; required: string[] } | null {
  const whole = resolve(api, schema)
  const parts = [whole, ...(whole.allOf ?? []).map(part => resolve(api, part))]
  const fields = Object.assign({}, ...parts.map(part => part.properties ?? {})) as Record<string, Schema>
  if (Object.keys(fields).length === 0) return null
  return { fields, required: parts.flatMap(part => part.required ?? []) }
}

/** What kind of value a schema is, in words: "array of Workspace", "string or null", "small | medium". */
export function typeWords(api: OpenApi, schema: Schema): string {
  const whole = resolve(api, schema)
  const name = refName(schema) ?? whole.title
  if (whole.enum !== undefined) return whole.enum.map(one => JSON.stringify(one)).join(" | ")
  if (whole.const !== undefined) return JSON.stringify(whole.const)
  const choices = whole.anyOf ?? whole.oneOf
  if (choices !== undefined) return [...new Set(choices.map(one => typeWords(api, one)))].join(" or ")
  if (whole.items !== undefined) return `array of ${typeWords(api, whole.items)}`
  if (name !== undefined) return name
  if (typeof whole.additionalProperties === "object") return `object of ${typeWords(api, whole.additionalProperties)}`
  const type = Array.isArray(whole.type) ? whole.type.join(" or ") : whole.type
  return [type ?? "any value", whole.format !== undefined && `(${whole.format})`].filter(Boolean).join(" ")
}

function limits(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, pattern } = schema
  const parts = [
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && `at least ${minimum}`,
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && `at most ${maximum}`,
    minLength !== undefined && `at least ${minLength} long`,
    maxLength !== undefined && `at most ${maxLength} long`,
    // A known format says it better than the pattern made for it.
    pattern !== undefined && schema.format === undefined && `like ${pattern}`,
    schema.default !== undefined && `${JSON.stringify(schema.default)} if left out`,
  ].filter(Boolean)
  return parts.length === 0 ? "" : `, ${parts.join(", ")}`
}
