import { invalid } from "./errors.ts"
import type { GcpState, Json, Resource } from "./state.ts"

/** Kinds of resources, and where they are. */
export const SCOPES: Record<string, "zones" | "regions" | "global"> = {
  instances: "zones",
  disks: "zones",
  addresses: "regions",
  subnetworks: "regions",
  resourcePolicies: "regions",
  firewalls: "global",
  networks: "global",
  snapshots: "global",
  images: "global",
}

/** Does a resource pass a filter? Of Google's language: comparisons of labels and names with `=`, joined by AND. */
export function matches(resource: Json, filter: string | null): boolean {
  if (!filter) return true
  return filter.split(" AND ").every(part => {
    const [, field, value] = /^\(?\s*([\w.-]+)\s*=\s*"?([^"()]*)"?\s*\)?$/.exec(part.trim()) ?? []
    if (field === undefined || value === undefined) throw invalid(`Invalid value for field 'filter': '${filter}'.`)
    const [, label] = /^labels\.(.+)$/.exec(field) ?? []
    const has = label === undefined ? resource[field] : (resource.labels as Json | undefined)?.[label]
    return String(has ?? "") === value
  })
}

/** One page of a list. */
export function page(items: Resource[], query: URLSearchParams): { items: Resource[]; next: string | undefined } {
  const most = Math.min(Number(query.get("maxResults") ?? 500), 500)
  const from = Number(query.get("pageToken") || 0)
  const next = from + most < items.length ? String(from + most) : undefined
  return { items: items.slice(from, from + most), next }
}

export function list(state: GcpState, under: string, kind: string, query: URLSearchParams): Json {
  const all = state.all(kind).filter(([path]) => path.startsWith(`${under}/${kind}/`))
  const chosen = page(
    all.map(([, one]) => one).filter(one => matches(one, query.get("filter"))),
    query,
  )
  return {
    ...{ kind: `compute#${kind.replace(/s$/, "")}List`, id: `${under}/${kind}`, items: chosen.items },
    ...(chosen.next ? { nextPageToken: chosen.next } : {}),
  }
}

/** A list over all places: one part for each, with a warning where it has nothing. */
export function aggregated(state: GcpState, kind: string, places: string[], query: URLSearchParams): Json {
  const all = state.all(kind).filter(([, one]) => matches(one, query.get("filter")))
  const chosen = page(
    all.map(([, one]) => one),
    query,
  )
  const items = places.map(place => {
    const here = chosen.items.filter(one => String(one.selfLink).includes(`/${place}/${kind}/`))
    const warning = { code: "NO_RESULTS_ON_PAGE", message: `There are no results for scope '${place}' on this page.` }
    return [place, here.length > 0 ? { [kind]: here } : { warning }]
  })
  return {
    ...{ kind: `compute#${kind.replace(/s$/, "")}AggregatedList`, id: `aggregated/${kind}` },
    items: Object.fromEntries(items),
    ...(chosen.next ? { nextPageToken: chosen.next } : {}),
  }
}
