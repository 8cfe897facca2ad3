import { createRequire } from "node:module"
import type { Exchange } from "../../local-cloud/gcp/server.ts"

/**
 * Google's own description of the Compute Engine API, as its client library brings it: messages with their fields, and
 * services with the paths of their methods.
 */
interface Field {
  type: string
  rule?: "repeated"
  keyType?: string
}
interface Type {
  fields?: Record<string, Field>
  values?: Record<string, number>
  methods?: Record<string, { requestType: string; responseType: string; options?: Record<string, string> }>
  nested?: Record<string, Type>
}

const read = createRequire(import.meta.url)
type Nested = { nested: Record<string, Nested & Type> }

let types: Record<string, Type> | null = null
function description(): Record<string, Type> {
  if (types) return types
  let at = read("@google-cloud/compute/build/protos/protos.json") as Nested
  for (const name of ["google", "cloud", "compute", "v1"]) at = at.nested[name] as Nested & Type
  types = at.nested
  return types
}

interface Route {
  method: string
  pattern: RegExp
  request: Type
  response: string
  body: string | null
}

const VERBS = ["get", "post", "delete", "patch", "put"]
const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

let routes: Route[] | null = null
function routesOf(): Route[] {
  routes ??= Object.values(description()).flatMap(service =>
    Object.values(service.methods ?? {}).flatMap(({ requestType, responseType, options = {} }) =>
      VERBS.flatMap(verb => {
        const path = options[`(google.api.http).${verb}`]
        if (path === undefined) return []
        const pattern = new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}$`)
        const body = options["(google.api.http).body"]
        const request = description()[requestType] as Type
        return [
          { method: verb.toUpperCase(), pattern, request, response: responseType, body: body ? camel(body) : null },
        ]
      }),
    ),
  )
  return routes
}

/** In what a request, or its answer, differs from the description; nothing where it is as described. */
export function deviations({ method, path, query, body, status, answer }: Exchange): string[] {
  if (!path.startsWith("/compute/")) return []
  const what = `${method} ${path}`
  const route = routesOf().find(one => one.method === method && one.pattern.test(path))
  if (!route) return [`${what}: no such method`]
  const fields = route.request.fields ?? {}
  const unknown = [...query.keys()].filter(key => !(key in fields)).map(key => `${what}: no such parameter as ${key}`)
  const sent = route.body === null ? [] : compare(body ?? {}, fields[route.body]?.type ?? "", {}, `${what} >`)
  const told = status === 200 ? compare(answer, route.response, {}, `${what} <`) : wrongError(answer, status, what)
  return [...unknown, ...sent, ...told]
}

function compare(value: unknown, type: string, within: Record<string, Type>, at: string): string[] {
  const known = within[type] ?? description()[type]
  if (known?.values) return typeof value === "string" && value in known.values ? [] : [`${at}: ${value} is no ${type}`]
  if (known?.fields) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: is no ${type}`]
    return Object.entries(value).flatMap(([key, one]) => {
      const field = known.fields?.[key]
      if (!field) return [`${at}.${key}: ${type} has no such field`]
      const nested = { ...within, ...known.nested }
      if (field.keyType !== undefined)
        return Object.entries(one as object).flatMap(([name, each]) =>
          compare(each, field.type, nested, `${at}.${key}.${name}`),
        )
      if (field.rule !== "repeated") return compare(one, field.type, nested, `${at}.${key}`)
      if (!Array.isArray(one)) return [`${at}.${key}: is no list`]
      return one.flatMap((each, index) => compare(each, field.type, nested, `${at}.${key}[${index}]`))
    })
  }
  const scalar = type === "string" ? "string" : type === "bool" ? "boolean" : /64$/.test(type) ? "string" : "number"
  // Whoever asks may write 64-bit numbers as numbers, Google writes them as text.
  const fits = typeof value === scalar || (/64$/.test(type) && at.includes(" >") && typeof value === "number")
  return fits ? [] : [`${at}: ${JSON.stringify(value)} is no ${type}`]
}

function wrongError(answer: Record<string, unknown>, status: number, what: string): string[] {
  const error = answer.error as { code?: number; message?: string; errors?: { reason?: string }[] } | undefined
  return error?.code === status && error.message && error.errors?.[0]?.reason
    ? []
    : [`${what}: is no error of Google's`]
}
