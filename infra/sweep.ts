import type { HeldResource } from "./machines/contract.ts"

/**
 * What the provider has of workspaces that nobody knows. Pure: what a look has found in, what is to be removed out.
 * A resource goes only when two looks, one after the other, have found it without a workspace, when it is older than
 * anything can be that is just being made, when its workspace was this service's, and when not so much would go at once
 * (more than two workspaces and a tenth) or is without a workspace (all) that the list of workspaces must be wrong.
 */

export interface SweepFacts {
  held: HeldResource[]
  /** Every workspace that is wanted: of the service's records, and with a stack. */
  wanted: ReadonlySet<string>
  /** The provider's project of each wanted workspace that has a record. */
  homes?: ReadonlyMap<string, string>
  /** Workspaces that this service is known to have had: what another one made in the same project is not its to remove. */
  had: ReadonlySet<string>
  /** When a resource was first found without a workspace, milliseconds since 1970, by `keyOfResource`. */
  suspects: ReadonlyMap<string, number>
  /** Milliseconds since 1970. */
  now: number
}

export interface SweepPlan {
  remove: HeldResource[]
  /** Without a workspace, and too young or seen for too short a time; `until` in ms since 1970. */
  waits: { resource: HeldResource; until: number }[]
  /** Found now, to be found once more. */
  suspects: Map<string, number>
  /** Would go, were they not too many: a person must look. */
  tooMany: HeldResource[]
  /** Without a workspace, and of none that this service ever had: a person must look. */
  foreign: HeldResource[]
}

/**
 * Younger than this, a resource may belong to a creation that is under way: the longest seen waits its hour for a
 * machine to report ready, and its record is made before its first resource.
 */
export const GRACE_MS = 2 * 3600_000
/** Between the two looks that must agree. */
export const AGREE_MS = 45_000
/** Workspaces whose resources one sweep removes: as many, or this share of all, whichever is more. */
const MOST_WORKSPACES = 2
const MOST_SHARE = 0.1

/** Resources in one answer of a provider's list, and requests of a sweep that do not depend on how many there are. */
const PAGE = 50
const LEAST_REQUESTS = 6
/** A sweep may take so many requests a minute: a third of the 3,600 an hour that Hetzner gives a project. */
const REQUESTS_A_MINUTE = 20

/** How long to wait after a look that found so many resources, milliseconds: a minute, and longer where there is much. */
export const gapAfter = (held: number) => Math.max(1, (LEAST_REQUESTS + held / PAGE) / REQUESTS_A_MINUTE) * 60_000

export const keyOfResource = ({ type, id }: { type: string; id: string }) => `${type}/${id}`

export function planSweep({ held, wanted, homes, had, suspects, now }: SweepFacts): SweepPlan {
  // What a creation has made in a project that it left for another one; names are in the main one for all.
  const isAstray = ({ workspace, project, name }: HeldResource) => {
    const home = homes?.get(workspace)
    return project !== undefined && home !== undefined && project !== home && !name.startsWith("record-")
  }
  const without = held.filter(one => !wanted.has(one.workspace) || isAstray(one))
  const seen = new Map(without.map(one => [keyOfResource(one), suspects.get(keyOfResource(one)) ?? now]))
  const ripeAt = (one: HeldResource) => {
    const since = seen.get(keyOfResource(one)) ?? now
    // Where the provider does not say how old it is, it is as old as we know it.
    return Math.max(since + AGREE_MS, (one.createdAt?.getTime() ?? since) + GRACE_MS)
  }
  const isRipe = (one: HeldResource) => now >= ripeAt(one)
  const ripe = without.filter(isRipe)
  const ours = ripe.filter(one => had.has(one.workspace))
  const foreign = ripe.filter(one => !had.has(one.workspace))
  const count = (some: HeldResource[]) => new Set(some.map(one => one.workspace)).size
  const all = count(held)
  // All of it: also where not every one of them is known to have been ours.
  const isTooMuch = count(ours) > Math.max(MOST_WORKSPACES, MOST_SHARE * all) || count(without) === all
  const waits = without.filter(one => !isRipe(one)).map(resource => ({ resource, until: ripeAt(resource) }))
  return { waits, remove: isTooMuch ? [] : ours, suspects: seen, tooMany: isTooMuch ? ours : [], foreign }
}
