import { type Body, type Endpoint, type OpenApi, type Parameter, resolve, type Schema } from "./open-api.ts"

/** How an operation is called with curl. Parts that differ for everybody are in capitals. */
export function curlExample(api: OpenApi, { method, path, operation, parameters }: Endpoint): string {
  const given = (parameter: Parameter) =>
    parameter.example ?? sampleOf(api, parameter.schema ?? {}, parameter.name.toUpperCase())
  const filled = parameters
    .filter(one => one.in === "path")
    .reduce((url, one) => url.replace(`{${one.name}}`, () => String(given(one))), path)
  const query = parameters
    .filter(one => one.in === "query" && one.required === true)
    .map(one => `${one.name}=${encodeURIComponent(String(given(one)))}`)
  const base = api.servers?.[0]?.url.replace(/\/$/, "") ?? ""
  const lines = [
    `curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} ${quote(`${base}${filled}${query.length > 0 ? `?${query.join("&")}` : ""}`)}`,
  ]
  if ((operation.security ?? api.security ?? []).length > 0) lines.push('-H "Authorization: Bearer $FOOZOL_TOKEN"')
  if (streams(api, operation.responses ?? {})) lines.push("-N")
  const body = bodySample(api, operation.requestBody)
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(body))}`)
  return lines.join(" \\\n  ")
}

const streams = (api: OpenApi, responses: NonNullable<Endpoint["operation"]["responses"]>) =>
  Object.values(responses).some(answer => "text/event-stream" in (resolve<Body>(api, answer).content ?? {}))

/** As one word for a shell. */
const quote = (text: string) => (/^[\w:/.?=&%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

function bodySample(api: OpenApi, body: Endpoint["operation"]["requestBody"]): unknown {
  if (body === undefined) return undefined
  const json = resolve<Body>(api, body).content?.["application/json"]
  if (json === undefined) return undefined
  return json.example ?? sampleOf(api, json.schema ?? {}, "VALUE")
}

/** A value a schema admits: its example, else the simplest there is. Optional fields are left out. */
export function sampleOf(api: OpenApi, schema: Schema, name: string, depth = 0): unknown {
  const whole = resolve(api, schema)
  const given = [whole.example, whole.examples?.[0], whole.const, whole.default, whole.enum?.[0]]
  const first = given.find(one => one !== undefined)
  if (first !== undefined || depth > 6) return first
  const choice = whole.anyOf?.[0] ?? whole.oneOf?.[0]
  if (choice !== undefined) return sampleOf(api, choice, name, depth + 1)
  const parts = [whole, ...(whole.allOf ?? []).map(part => resolve(api, part))]
  if (parts.some(part => part.properties !== undefined)) {
    const fields = parts.flatMap(part =>
      Object.entries(part.properties ?? {}).filter(([field]) => part.required?.includes(field)),
    )
    return Object.fromEntries(
      fields.map(([field, inner]) => [field, sampleOf(api, inner, field.toUpperCase(), depth + 1)]),
    )
  }
  const type = Array.isArray(whole.type) ? whole.type[0] : whole.type
  if (type === "array") return [sampleOf(api, whole.items ?? {}, name, depth + 1)]
  if (type === "integer" || type === "number") return whole.minimum ?? 1
  if (type === "boolean") return true
  if (type === "object") return {}
  return type === "null" ? null : name
}
