import type { Context as KoaContext } from "koa"
import { z } from "zod"
import { LOCATIONS } from "../catalog.ts"
import { ApiError, invalidInput, notFound, notUnique } from "../errors.ts"
import { areLabels, parseSelector } from "../labels.ts"
import { byName } from "../state/keys.ts"
import type { Common, Kind, Records } from "../state/records.ts"
import type { Store } from "../state/store.ts"

/** A request as a route sees it: authenticated, its body parsed. */
export interface Call {
  project: string
  query: URLSearchParams
  params: Record<string, string>
  body: unknown
  /** Ends the actions of this request in an error: an injected fault. */
  failActions: boolean
}

/** What a route answers; the body is made after instantaneous actions have ended. */
export interface Reply {
  status: number
  body?: () => object
}

export const ok = (body: () => object): Reply => ({ status: 200, body })
export const created = (body: () => object): Reply => ({ status: 201, body })
export const NO_CONTENT: Reply = { status: 204 }

export function toCall(koa: KoaContext, failActions: boolean): Call {
  const { project, body } = koa.state as { project: string; body: unknown }
  return { project, body, failActions, query: koa.URL.searchParams, params: koa.params as Record<string, string> }
}

/** Parses a body; every wrong field is named in a 422 `invalid_input`. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {})
  if (parsed.success) return parsed.data
  const fields = new Map<string, string[]>()
  for (const issue of parsed.error.issues) {
    const name = issue.path.join(".") || ("keys" in issue ? String(issue.keys) : "body")
    fields.set(name, [...(fields.get(name) ?? []), issue.message])
  }
  throw invalidInput([...fields].map(([name, messages]) => ({ name, messages })))
}

/** Labels of a body. */
export const Labels = z
  .record(z.string(), z.string())
  .refine(areLabels, "labels have keys and values of up to 63 letters, digits, `-`, `_` and `.`")

/** A resource of the caller's project by the id in the path. */
export function load<K extends Kind>(store: Store, kind: K, call: Call, label: string, param = "id"): Records[K] {
  const raw = call.params[param] ?? ""
  const record = store.get(kind, Number(raw))
  if (!record || record.project !== call.project) throw notFound(label, raw)
  return record
}

/** All of the caller's resources of a kind. */
export function mine<K extends Kind>(store: Store, kind: K, project: string): Records[K][] {
  return store.all(kind).filter(record => record.project === project)
}

/** @throws ApiError 409 `uniqueness_error` when another resource of the kind has this name */
export function requireFreeName(store: Store, kind: Kind, project: string, name: string, self?: number): void {
  if (store.find(kind, byName(project, name)).some(record => record.id !== self)) throw notUnique("name")
}

/** A location of a body, given by name or id. */
export const LocationName = z.union([z.string(), z.int().transform(String)]).transform(locationName)

function locationName(given: string): string {
  return LOCATIONS.find(one => String(one.id) === given)?.name ?? given
}

/** Most entries of a page. */
const MAX_PAGE = 50

/** Filters by `name` and `label_selector`, sorts, and cuts a page out, as every list of Hetzner's does. */
export function page<T extends Pick<Common, "id">>(
  call: Call,
  key: string,
  records: T[],
  present: (record: T) => object,
  most = MAX_PAGE,
): Reply {
  const { query } = call
  let found = records
  const names = query.getAll("name")
  if (names.length > 0) found = found.filter(record => names.includes(String((record as { name?: string }).name)))
  const ids = query.getAll("id").map(Number)
  if (ids.length > 0) found = found.filter(record => ids.includes(record.id))
  const statuses = query.getAll("status")
  if (statuses.length > 0)
    found = found.filter(record => statuses.includes(String((record as { status?: string }).status)))
  const selector = query.get("label_selector")
  if (selector) {
    const matches = parseSelector(selector)
    found = found.filter(record => matches((record as { labels?: Record<string, string> }).labels ?? {}))
  }
  found = sort(found, query.getAll("sort"))
  const number = positive(query, "page", 1)
  const size = Math.min(positive(query, "per_page", 25), most)
  const last = Math.max(1, Math.ceil(found.length / size))
  const pagination = {
    page: number,
    per_page: size,
    previous_page: number > 1 ? number - 1 : null,
    next_page: number < last ? number + 1 : null,
    last_page: last,
    total_entries: found.length,
  }
  const slice = found.slice((number - 1) * size, number * size)
  return ok(() => ({ [key]: slice.map(present), meta: { pagination } }))
}

function positive(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  if (!/^[1-9]\d*$/.test(text)) throw invalidInput([{ name, messages: ["must be a positive number"] }])
  return Number(text)
}

function sort<T extends { id: number }>(records: T[], by: string[]): T[] {
  const keys = by.flatMap(one => one.split(",")).map(one => one.split(":"))
  const sorted = [...records].sort((a, b) => a.id - b.id)
  for (const [field = "id", direction = "asc"] of keys.reverse()) {
    const value = (record: T) => (record as Record<string, unknown>)[field]
    if (!["id", "name", "created", "status", "command", "progress", "started", "finished", "type"].includes(field)) {
      throw new ApiError(422, "invalid_input", `cannot sort by '${field}'`)
    }
    const key = (record: T) => value(record) ?? (field === "started" ? (record as { created?: string }).created : "")
    sorted.sort((a, b) => compare(key(a), key(b)) * (direction === "desc" ? -1 : 1))
  }
  return sorted
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b
  return String(a).localeCompare(String(b))
}
