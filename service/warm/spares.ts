import type { Redis } from "ioredis"
import type { Market } from "../../infra/gcp-settings.ts"
import type { Machine, Machines } from "../../infra/machines/contract.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { PREFIX } from "../redis/connect.ts"
import { readRestored } from "../state-backup/mark.ts"
import { areRecordsWhole } from "../sweeps/rebuild.ts"
import type { Images } from "../workspaces/images.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { Profile, Provider, Workspace } from "../workspaces/workspace.ts"
import { createDemand } from "./demand.ts"
import { keyOfKind, type WarmSettings } from "./settings.ts"
import { WARM_POOL } from "./words.ts"

/** Hash: by `taken KIND` and `missed KIND`, how often a creation found a spare machine of a kind that is kept, and none. */
export const WARM_COUNTS = `${PREFIX}warm-counts`
/** One that was not heard of for so long is not given to anybody, ms: machines report every 15 s. */
const HEARD_MS = 60_000
/** What a provider has said of a machine's owner counts for so long, ms: labels change when a machine is taken, and then its epoch does. */
const LABEL_FRESH_MS = 30_000

/** What somebody asks for, as far as it decides which spare machine would do. */
export interface SpareWish {
  provider: Provider
  region: string
  /** Machine type at the provider. */
  size: string
  profile: Profile
  market?: Market | undefined
}

/** Spare machines, for those who create workspaces. */
export interface Spares {
  /**
   * Those that are as good as a new machine for this wish, one after the other: others may take them meanwhile, and the
   * script that takes one says so. A provider that does not answer has none.
   */
  fitting(wish: SpareWish): AsyncGenerator<Workspace>
  /** Since when one must have been heard of, ms since 1970. */
  heardSince(): number
  /** Notes that one was taken, or that there was none of a kind that is kept. */
  count(what: "taken" | "missed", of: Parameters<typeof keyOfKind>[0]): Promise<void>
}

export interface SparesMeans {
  redis: Redis
  settings: WarmSettings
  store: Pick<WorkspaceStore, "listOf">
  machines: Pick<Machines, "list">
  images: Pick<Images, "find">
  now: () => number
}

export function createSpares({ redis, settings, store, machines, images, now }: SparesMeans): Spares {
  const isOn = settings.monthly > 0 && settings.kinds.length > 0
  const demand = createDemand(redis, now)
  const seen = new Map<string, number>()

  /** Does the provider's label still say that it is nobody's? A record may be older than that, such as one of an older Redis. */
  async function isNobodys(spare: Workspace): Promise<boolean> {
    const key = `${spare.id} ${spare.epoch}`
    for (const [known, at] of seen) if (now() - at > LABEL_FRESH_MS) seen.delete(known)
    if (seen.has(key)) return true
    const machine = await machineOf(machines, spare).catch(() => null)
    if (machine?.labels[LABELS.owner] !== WARM_POOL) return false
    seen.set(key, now())
    return true
  }

  return {
    heardSince: () => now() - HEARD_MS,
    async *fitting({ provider, region, size, profile, market }) {
      if (!isOn || !(await mayBeTaken(redis))) return
      const fits = (one: Workspace) =>
        one.provider === provider &&
        one.region === region &&
        one.size === size &&
        one.profile === profile &&
        one.market === market &&
        one.state === "RUNNING" &&
        (one.reportedAt ?? 0) >= now() - HEARD_MS
      // At random, so that those who come together do not all try the same one first.
      const found = shuffled((await store.listOf(WARM_POOL)).filter(fits))
      for (const one of found) {
        const current = await images.find(profile, projectOf(one)).catch(() => null)
        if (current === one.image && (await isNobodys(one))) yield one
      }
    },
    async count(what, of) {
      const key = keyOfKind(of)
      if (!isOn || !settings.kinds.some(kind => keyOfKind(kind) === key)) return
      await Promise.all([redis.hincrby(WARM_COUNTS, `${what} ${key}`, 1), demand.asked(key)])
    },
  }
}

/** Not while records are made again, or compared with the provider after a restore: they may say nobody's of what is somebody's. */
export async function mayBeTaken(redis: Redis): Promise<boolean> {
  const [whole, restored] = await Promise.all([areRecordsWhole(redis), readRestored(redis)])
  return whole && (restored === null || restored.settled)
}

/** What carries the workspace's label at the provider; null: there is none. */
export async function machineOf(machines: Pick<Machines, "list">, workspace: Workspace): Promise<Machine | null> {
  const [machine = null] = await machines.list({ [LABELS.workspace]: workspace.id }, { project: projectOf(workspace) })
  return machine
}

function shuffled<T>(all: T[]): T[] {
  return all
    .map(one => [Math.random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}
