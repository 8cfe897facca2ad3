import { invalid, unmet } from "./errors.ts"
import { type Json, type Resource, type ScalewayState, still } from "./state.ts"

/** Block Storage: volumes and snapshots of them. Both take a while to come, and are held by who uses them. */

const GB = 1_000_000_000
const [LEAST, MOST] = [5 * GB, 10_000 * GB]

export interface Reference {
  product_resource_type: string
  product_resource_id: string
}
export const referencesOf = (resource: Resource) => resource.references as Reference[]

/** Says that somebody uses it, or, with null, that nobody does any more. */
export function setUser(state: ScalewayState, resource: Resource, user: Reference | null): void {
  resource.references = user
    ? [{ id: resource.id, type: "exclusive", status: "attached", created_at: state.now(), ...user }]
    : []
  if (user) resource.status = "in_use"
  // It takes a moment to be let go of.
  else state.later(() => referencesOf(resource).length === 0 && Object.assign(resource, { status: "available" }))
}

/** Makes a volume. @param status in which it begins; `creating` lasts a while */
export function makeVolume(state: ScalewayState, zone: string, body: Json, status = "creating"): Resource {
  const from = body.from_snapshot as { snapshot_id: string; size?: number | null } | undefined
  const source = from && state.get("snapshots", zone, from.snapshot_id)
  if (source) still("snapshots", source, ["available", "in_use"])
  const size = Number(from ? (from.size ?? source?.size) : (body.from_empty as { size: number }).size)
  if (!(size >= LEAST && size <= MOST)) throw invalid("size", `must be between ${LEAST} and ${MOST}`)
  if (source && size < Number(source.size)) throw invalid("size", "must not be smaller than the snapshot")
  const iops = Number(body.perf_iops)
  if (iops !== 5_000 && iops !== 15_000) throw invalid("perf_iops", "must be 5000 or 15000")
  const made = state.add("volumes", zone, {
    ...{ name: body.name, type: `sbs_${iops / 1000}k`, size, project_id: state.settings.project, status },
    ...{ created_at: state.now(), updated_at: state.now(), references: [], tags: body.tags ?? [] },
    ...{ parent_snapshot_id: source?.id ?? null, specs: { perf_iops: iops, class: "sbs" }, last_detached_at: null },
    kms_key_id: null,
  })
  if (status === "creating")
    state.later(() => made.status === "creating" && Object.assign(made, { status: "available" }))
  return made
}

export function makeCopy(state: ScalewayState, zone: string, body: Json): Resource {
  const volume = state.get("volumes", zone, String(body.volume_id))
  still("volumes", volume, ["available", "in_use"])
  const { id, name, type, status } = volume
  const made = state.add("snapshots", zone, {
    ...{ name: body.name, size: volume.size, project_id: state.settings.project, status: "creating", class: "sbs" },
    ...{ created_at: state.now(), updated_at: state.now(), references: [], tags: body.tags ?? [], public: false },
    parent_volume: { id, name, type, status },
  })
  state.later(() => Object.assign(made, { status: "available" }))
  return made
}

/** Removes a volume or a snapshot that nobody uses. */
export function removeBlock(state: ScalewayState, kind: "volumes" | "snapshots", zone: string, id: string): Json {
  const found = state.get(kind, zone, id)
  if (referencesOf(found).length > 0) throw unmet("resource_still_in_use", `${kind.slice(0, -1)} is still in use`)
  still(kind, found, ["available", "error"])
  state.remove(kind, id)
  return {}
}

export function changeBlock(state: ScalewayState, kind: "volumes" | "snapshots", zone: string, id: string, body: Json) {
  const found = state.get(kind, zone, id)
  for (const field of ["name", "tags"]) if (body[field] !== undefined) found[field] = body[field]
  found.updated_at = state.now()
  return found
}
