import type { Accepted } from "../../infra/accepted.ts"
import { type ImageId, imageIdOf } from "../../infra/image-id.ts"
import type { Machine, Size } from "../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import { inProject, projectOf } from "../../infra/projects.ts"
import type { StackRecord } from "../../infra/stack-state.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { SPARE_UNKNOWN, WARM_POOL } from "../warm/words.ts"
import { classOf } from "../workspaces/sizes.ts"
import type { State } from "../workspaces/transitions.ts"
import { type Failure, PROFILES, PROVIDERS, type StopMode, type WorkspaceInfo } from "../workspaces/workspace.ts"

/** What of a workspace's spec its record is made of. */
export type RecordedSpec = Pick<
  StackRecord["spec"],
  "workspace" | "owner" | "epoch" | "profile" | "provider" | "region" | "size" | "image"
> &
  // Labels tell nothing of these.
  Partial<Pick<StackRecord["spec"], "asleep" | "project" | "market" | "accepted">>

/** What a lost record is made of. */
export interface Remains {
  stack: { spec: RecordedSpec; isUnfinished?: boolean }
  /** As the provider reports it; null: there is none. */
  machine: Machine | null
  /** All snapshots of it. */
  snapshots: SnapshotFacts[]
  /** Operations for which something of it was brought onto a volume, as an upgrade does. */
  carriedBy: ReadonlySet<string>
  sizes: Size[]
  /** The golden image of its profile now; null: there is none. */
  golden: ImageId | null
}

export interface RebuiltRecord {
  info: WorkspaceInfo
  state: State
  epoch: number
  machineId: string | null
  ipv4: string | null
  snapshot: string | null
  stopMode: StopMode | null
  failure: Failure | null
  accepted: Accepted[]
}

/**
 * The record of a workspace out of what is left of it. What its owner called it and had set is lost; its data, its
 * address and its backups are not. Null for a profile this service does not know. Pure.
 * @param now milliseconds since 1970
 */
export function rebuiltRecord(remains: Remains, now: number): RebuiltRecord | null {
  const { stack, machine, sizes, carriedBy } = remains
  const { spec } = stack
  const newest = remains.snapshots.filter(one => one.available).sort((a, b) => b.createdAt - a.createdAt)
  const safety = newest.find(({ kind }) => kind === "safety") ?? null
  // Who puts a machine away to make another one in its place keeps it in a snapshot for safety.
  const sleep = newest.find(({ kind }) => kind === "sleep") ?? (spec.asleep ? safety : null)
  // Before that snapshot is made, an upgrade has changed nothing.
  const isTornUp = newest.some(({ kind, operation }) => kind === "safety" && carriedBy.has(operation))
  const profile = PROFILES.find(one => one === spec.profile)
  const provider = PROVIDERS.find(one => one === spec.provider)
  if (profile === undefined || provider === undefined) return null
  const size = sizes.find(one => one.name === spec.size)
  const owner = ownerOf(remains)
  const info: WorkspaceInfo = {
    ...{ id: spec.workspace, owner, name: spec.workspace, profile, provider },
    ...inProject(projectOf(spec)),
    ...(spec.market === undefined ? {} : { market: spec.market }),
    ...{ region: spec.region, size: spec.size, sizeClass: size ? classOf(size, provider) : "small" },
    // The spec's may be a snapshot that it woke from, and that is gone.
    image: imageIdOf(newest.find(({ madeOf }) => madeOf !== null)?.madeOf ?? remains.golden ?? spec.image),
    price: size?.regions[spec.region]?.price ?? null,
    createdAt: machine?.createdAt.getTime() ?? sleep?.createdAt ?? now,
  }
  // Newer than whatever was under way when the records were lost, and than every line of the ledger: operations raise
  // the epoch by two, and none comes every second.
  const epoch = Math.max(spec.epoch, Number(machine?.labels[LABELS.epoch] ?? 0), Math.floor(now / 1000)) + 1
  const rest = {
    info,
    epoch,
    machineId: null,
    ipv4: null,
    snapshot: null,
    stopMode: null,
    failure: null,
    accepted: spec.accepted ?? [],
  }
  if (owner === WARM_POOL) return { ...rest, machineId: machine?.id ?? null, state: "FAILED", failure: SPARE }
  if (stack.isUnfinished) return { ...rest, state: "FAILED", failure: UNFINISHED }
  if (isTornUp) return { ...rest, machineId: machine?.id ?? null, state: "FAILED", failure: INTERRUPTED }
  if (machine) {
    const isOff = machine.state === "off"
    const here = { machineId: machine.id, ipv4: machine.ipv4, stopMode: isOff ? ("power-off" as const) : null }
    return { ...rest, ...here, state: isOff ? "STOPPED" : "RUNNING" }
  }
  if (sleep) return { ...rest, state: "STOPPED", snapshot: sleep.id, stopMode: "hibernate" }
  return { ...rest, state: "FAILED", failure: MISSING }
}

/**
 * A stack may be older than what was done since. Who takes a spare machine is let in only when its labels say so: those of
 * the machine and its snapshots are right then.
 */
function ownerOf({ stack, machine, snapshots }: Remains): string {
  const { owner } = stack.spec
  if (owner !== WARM_POOL) return owner
  const told = [machine?.labels[LABELS.owner], ...snapshots.map(one => one.owner)]
  return told.find(one => one !== undefined && one !== WARM_POOL) ?? owner
}

/** Nobody remembers how far somebody had come with taking it. */
const SPARE: Failure = {
  id: SPARE_UNKNOWN,
  message: "It is a spare machine whose record was lost: it is thrown away, and another one made.",
  next: "investigate",
}

const INTERRUPTED: Failure = {
  id: "upgrade-interrupted",
  message: "Its upgrade was cut off. Restore the snapshot from before it, which is among its backups.",
  next: "investigate",
}

const UNFINISHED: Failure = {
  id: "creation-interrupted",
  message: "Its creation was cut off. Delete it and make a new one; nothing was on it yet.",
  next: "investigate",
}

const MISSING: Failure = {
  id: "machine-missing",
  message: "Its machine is not there any more. Make a new workspace from one of its backups, then delete it.",
  next: "investigate",
}
