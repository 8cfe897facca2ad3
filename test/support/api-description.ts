import { existsSync, readFileSync } from "node:fs"
import { Ajv } from "ajv"
import formats from "ajv-formats"

type Json = Record<string, unknown>

/** Hetzner's public API description, beside the repository where somebody has put it. */
export const DESCRIPTION_FILE = new URL("../../../shared/hetzner/openapi-2026-02.json", import.meta.url)

/** The description as a judge of answers. */
export interface ApiDescription {
  /** What is wrong with an answer to `method` `template` (such as `/servers/{}`); empty when nothing is. */
  problems(method: string, template: string, status: number, body: unknown): string[]
}

/** Reads the description; null where it is absent. */
export function readApiDescription(): ApiDescription | null {
  if (!existsSync(DESCRIPTION_FILE)) return null
  const description = JSON.parse(readFileSync(DESCRIPTION_FILE, "utf8")) as Json
  const paths = description.paths as Record<string, Json>
  patchDrift(description)
  toJsonSchema(description)
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addFormat("decimal", /^-?\d+(\.\d+)?$/)
  ajv.addSchema({ ...description, $id: "api" })
  const templates = new Map(Object.keys(paths).map(path => [path.replace(/\{\w+\}/g, "{}"), path]))
  return {
    problems(method, template, status, body) {
      const path = templates.get(template)
      const operation = path && (paths[path]?.[method.toLowerCase()] as Json | undefined)
      if (!path || !operation) return [`${method} ${template} is not described`]
      const responses = operation.responses as Record<string, Json>
      const code = String(status) in responses ? String(status) : `${String(status)[0]}xx`
      const response = responses[code]
      if (!response) return [`status ${status} is not described (${Object.keys(responses).join(", ")} are)`]
      if (!response.content) return body === null ? [] : ["a body where none is described"]
      const pointer = ["paths", path, method.toLowerCase(), "responses", code, "content", "application/json", "schema"]
      const ref = `api#/${pointer.map(one => encodeURIComponent(one.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`
      const validate = ajv.getSchema(ref)
      if (!validate) throw new Error(`no schema at ${ref}`)
      if (validate(body)) return []
      return (validate.errors ?? []).map(
        error => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
      )
    },
  }
}

/**
 * What changed at Hetzner since the description of February 2026, all in this one place: `datacenter` left servers and
 * primary IPs (their `location` stayed), `/datacenters` answers 410, and the locations of server types say whether the
 * type can be ordered there.
 */
function patchDrift(description: Json): void {
  const paths = description.paths as Record<string, Record<string, { responses: Json }>>
  for (const path of ["/datacenters", "/datacenters/{id}"]) {
    const get = paths[path]?.get
    if (get) get.responses = { "410": get.responses["4xx"] }
  }
  everySchema(description, schema => {
    const properties = schema.properties as Record<string, Json> | undefined
    if (!properties) return
    const required = new Set((schema.required as string[] | undefined) ?? [])
    if (properties.datacenter && properties.location) {
      delete properties.datacenter
      required.delete("datacenter")
    }
    const locations = properties.locations
    const ofType = properties.cpu_type ? ((locations?.items as Json | undefined) ?? null) : null
    if (ofType) {
      const more = { type: "object", required: ["available", "recommended"] }
      const known = { available: { type: "boolean" }, recommended: { type: "boolean" } }
      Object.assign(properties, {
        locations: { ...locations, items: { allOf: [ofType, { ...more, properties: known }] } },
      })
    }
    if (schema.required) schema.required = [...required]
  })
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type of null, and an enum with it need not name null. */
function toJsonSchema(description: Json): void {
  everySchema(description, schema => {
    if (schema.nullable !== true) return
    delete schema.nullable
    const inner = { ...schema }
    for (const key of Object.keys(schema)) delete schema[key]
    schema.anyOf = [inner, { type: "null" }]
  })
}

/** Visits every object of a document, inner ones first. Examples hold data, not schemas. */
function everySchema(value: unknown, visit: (schema: Json) => void): void {
  if (Array.isArray(value)) for (const one of value) everySchema(one, visit)
  else if (value !== null && typeof value === "object") {
    for (const [key, one] of Object.entries(value)) if (!/^examples?$|^x-/.test(key)) everySchema(one, visit)
    visit(value as Json)
  }
}
