import { randomUUID } from "node:crypto"
import { moving, notFound, quotaExceeded } from "./errors.ts"

export type Json = Record<string, unknown>
/** A resource as the API shows it. */
export type Resource = Json & { id: string; zone: string; tags: string[] }

export interface ScalewaySettings {
  /** UUID of the only project there is. */
  project: string
  /** Who may ask: `X-Auth-Token`. */
  token: string
  /** How long a transient state lasts, milliseconds. */
  transientMs: number
  /** How many of each there may be. */
  quotas: Record<string, number>
  clock: () => number
}

export const KINDS = ["servers", "security_groups", "ips", "images", "volumes", "snapshots"] as const
export type Kind = (typeof KINDS)[number]

/** What the API calls one of a kind in its errors. */
const SINGULAR: Record<Kind, string> = {
  servers: "instance_server",
  security_groups: "instance_security_group",
  ips: "instance_ip",
  images: "instance_image",
  volumes: "volume",
  snapshots: "snapshot",
}

/** A zone of DNS, by its domain. */
export interface DnsZone {
  domain: string
  records: Json[]
}

export interface ScalewayState {
  settings: ScalewaySettings
  zones: Map<string, DnsZone>
  /** Machine types that are out of stock, by `ZONE/TYPE`. */
  shortages: Set<string>
  /** What machines were told at birth, by their UUIDs. */
  userData: Map<string, string>
  all(kind: Kind, zone: string): Resource[]
  find(kind: Kind, zone: string, id: string): Resource | undefined
  /** @throws ScalewayRefusal */
  get(kind: Kind, zone: string, id: string): Resource
  /** @throws ScalewayRefusal where there may be no more */
  add(kind: Kind, zone: string, resource: Json): Resource
  remove(kind: Kind, id: string): void
  /** A state that lasts a while, and what comes then. */
  later(then: () => void): void
  now(): string
}

export function createScalewayState(settings: ScalewaySettings): ScalewayState {
  const held = new Map<Kind, Map<string, Resource>>(KINDS.map(kind => [kind, new Map()]))
  const of = (kind: Kind) => held.get(kind) as Map<string, Resource>
  const state: ScalewayState = {
    settings,
    zones: new Map(),
    shortages: new Set(),
    userData: new Map(),
    all: (kind, zone) => [...of(kind).values()].filter(one => one.zone === zone),
    find: (kind, zone, id) => state.all(kind, zone).find(one => one.id === id),
    get(kind, zone, id) {
      const found = state.find(kind, zone, id)
      if (!found) throw notFound(SINGULAR[kind], id)
      return found
    },
    add(kind, zone, resource) {
      const quota = settings.quotas[kind === "servers" ? "instances" : kind]
      if (quota !== undefined && of(kind).size >= quota) throw quotaExceeded(SINGULAR[kind], quota, of(kind).size)
      const made = { tags: [], ...resource, id: randomUUID(), zone } as Resource
      of(kind).set(made.id, made)
      return made
    },
    remove: (kind, id) => void of(kind).delete(id),
    later: then => void setTimeout(then, settings.transientMs).unref(),
    now: () => new Date(settings.clock()).toISOString(),
  }
  return state
}

/** @throws ScalewayRefusal while a volume or snapshot is changing */
export function still(kind: "volumes" | "snapshots", resource: Resource, states: readonly string[]): void {
  if (!states.includes(String(resource.status))) throw moving(SINGULAR[kind], resource.id, String(resource.status))
}

/** Those of a list that a query asks for: of the project, by name, and with all tags. */
export function asked(all: Resource[], query: URLSearchParams): Resource[] {
  // Instances' API takes tags with commas between, Block Storage's each by itself.
  const tags = query.getAll("tags").flatMap(one => one.split(","))
  const name = query.get("name")
  const isPublic = query.get("public")
  return all.filter(
    one =>
      tags.every(tag => one.tags.includes(tag)) &&
      (name === null || String(one.name).includes(name)) &&
      (isPublic === null || String(one.public) === isPublic),
  )
}
