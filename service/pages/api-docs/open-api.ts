/** The parts of an OpenAPI 3.1 document that the readable page shows; everything may be missing. */
export interface OpenApi {
  info?: { title?: string; version?: string; description?: string }
  servers?: { url: string }[]
  tags?: { name: string; description?: string }[]
  paths?: Record<string, PathItem | undefined>
  components?: Record<string, Record<string, unknown> | undefined>
  security?: object[]
}

export interface Ref {
  $ref?: string
}

export interface PathItem extends Ref {
  parameters?: (Parameter | Ref)[]
  [method: string]: unknown
}

export interface ApiOperation {
  tags?: string[]
  summary?: string
  description?: string
  operationId?: string
  deprecated?: boolean
  parameters?: (Parameter | Ref)[]
  requestBody?: Body | Ref
  responses?: Record<string, Answer | Ref>
  security?: object[]
}

export interface Parameter extends Ref {
  name: string
  in: "path" | "query" | "header" | "cookie"
  description?: string
  required?: boolean
  schema?: Schema
  example?: unknown
}

export interface Body extends Ref {
  description?: string
  required?: boolean
  content?: Record<string, { schema?: Schema; example?: unknown }>
}

export interface Answer extends Ref {
  description?: string
  content?: Record<string, { schema?: Schema; example?: unknown }>
}

export interface Schema extends Ref {
  title?: string
  description?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  example?: unknown
  examples?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  writeOnly?: boolean
}

/** One operation with its address, and parameters of its path and its own together. */
export interface Endpoint {
  /** Of its section in the page. */
  anchor: string
  method: string
  path: string
  operation: ApiOperation
  parameters: Parameter[]
}

const METHODS = ["get", "post", "put", "patch", "delete"]

/** What a `$ref` points to within the document, or the value itself; an empty object when it points nowhere. */
export function resolve<T extends Ref>(api: OpenApi, value: T | Ref): T {
  let found = value as T
  // A chain longer than this goes in a circle.
  for (let hops = 0; hops < 8 && typeof found.$ref === "string"; hops++) {
    const path = found.$ref.replace(/^#\//, "").split("/")
    found = (path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], api) ?? {}) as T
  }
  return found
}

/** Last part of a reference: the name of what it points to. */
export const refName = ({ $ref }: Ref) => $ref?.split("/").at(-1)

/** Operations by tag: tags in the document's order, then others as they come; those without one last. */
export function byTag(api: OpenApi): { name: string; description?: string | undefined; endpoints: Endpoint[] }[] {
  const groups = new Map((api.tags ?? []).map(tag => [tag.name, { ...tag, endpoints: [] as Endpoint[] }]))
  const others: Endpoint[] = []
  for (const endpoint of endpoints(api)) {
    const name = endpoint.operation.tags?.[0]
    if (name === undefined) others.push(endpoint)
    else if (groups.has(name)) groups.get(name)?.endpoints.push(endpoint)
    else groups.set(name, { name, endpoints: [endpoint] })
  }
  const all = [...groups.values(), ...(others.length > 0 ? [{ name: "Others", endpoints: others }] : [])]
  return all.filter(group => group.endpoints.length > 0)
}

function endpoints(api: OpenApi): Endpoint[] {
  return Object.entries(api.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap(method => {
      const operation = item?.[method] as ApiOperation | undefined
      if (operation === undefined) return []
      const parameters = [...(item?.parameters ?? []), ...(operation.parameters ?? [])]
      const anchor = operation.operationId ?? `${method}${path}`.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "")
      return [{ anchor, method, path, operation, parameters: parameters.map(one => resolve<Parameter>(api, one)) }]
    }),
  )
}
