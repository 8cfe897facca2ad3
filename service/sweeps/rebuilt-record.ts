import type { Machine, Size } from "../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import type { StackRecord } from "../../infra/stack-state.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { classOf } from "../workspaces/sizes.ts"
import type { State } from "../workspaces/transitions.ts"
import { type Failure, PROFILES, type StopMode, type WorkspaceInfo } from "../workspaces/workspace.ts"

/** What a lost record is made of. */
export interface Remains {
  stack: StackRecord
  /** As the provider reports it; null: there is none. */
  machine: Machine | null
  /** The snapshot it sleeps in; null: there is none. */
  sleep: SnapshotFacts | null
  sizes: Size[]
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
}

/**
 * The record of a workspace out of what is left of it. What its owner called it and had set is lost; its data, its
 * address and its backups are not. Null for a profile this service does not know. Pure.
 * @param now milliseconds since 1970
 */
export function rebuiltRecord({ stack, machine, sleep, sizes }: Remains, now: number): RebuiltRecord | null {
  const { spec } = stack
  const profile = PROFILES.find(one => one === spec.profile)
  if (profile === undefined) return null
  const size = sizes.find(one => one.name === spec.size)
  const info: WorkspaceInfo = {
    ...{ id: spec.workspace, owner: spec.owner, name: spec.workspace, profile, provider: spec.provider },
    ...{ region: spec.region, size: spec.size, sizeClass: size ? classOf(size) : "small", image: spec.image },
    price: size?.regions[spec.region]?.price ?? null,
    createdAt: machine?.createdAt.getTime() ?? sleep?.createdAt ?? now,
  }
  // Newer than whatever was under way when the records were lost: it writes no more.
  const epoch = Math.max(spec.epoch, Number(machine?.labels[LABELS.epoch] ?? 0)) + 1
  const rest = { info, epoch, machineId: null, ipv4: null, snapshot: null, stopMode: null, failure: null }
  if (machine) {
    const isOff = machine.state === "off"
    const here = { machineId: machine.id, ipv4: machine.ipv4, stopMode: isOff ? ("power-off" as const) : null }
    return { ...rest, ...here, state: isOff ? "STOPPED" : "RUNNING" }
  }
  if (sleep) return { ...rest, state: "STOPPED", snapshot: sleep.id, stopMode: "hibernate" }
  return { ...rest, state: "FAILED", failure: MISSING }
}

const MISSING: Failure = {
  id: "machine-missing",
  message: "Its machine is not there any more. Restore one of its backups, or delete it.",
  next: "investigate",
}
