import type { Kind } from "../workspaces/transitions.ts"
import type { Failure } from "../workspaces/workspace.ts"

export type OperationState = "queued" | "running" | "succeeded" | "failed" | "cancelled"

/** What an operation is, fixed when it is asked for. */
export interface OperationInfo {
  id: string
  workspace: string
  owner: string
  kind: Kind
  /** User id of who asked for it. */
  requestedBy: string
  createdAt: number
  /** Median seconds of earlier ones of the same kind, in all and by step; empty where there were none. */
  estimate: Estimate
}

export interface Estimate {
  seconds: number | null
  steps: Partial<Record<StepName, number>>
}

/** An operation as it is now. Times are milliseconds since 1970. */
export interface Operation extends OperationInfo {
  state: OperationState
  epoch: number
  attempts: number
  startedAt: number | null
  finishedAt: number | null
  failure: Failure | null
}

/** Steps in the order a person sees them, by kind. */
export const STEPS = {
  create: ["check", "resources", "boot", "desktop"],
  start: ["power", "boot", "desktop"],
  stop: ["viewers", "power"],
  destroy: ["viewers", "resources"],
} as const satisfies Record<Kind, readonly string[]>
export type StepName = (typeof STEPS)[Kind][number]

/** What a step is called, by kind. */
export const STEP_LABELS: Record<Kind, Partial<Record<StepName, string>>> = {
  create: {
    check: "Checking size, place and image",
    resources: "Making address, firewall and machine",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  start: { power: "Switching the machine on", boot: "Starting the machine", desktop: "Getting the desktop ready" },
  stop: { viewers: "Closing open desktops", power: "Shutting the machine down" },
  destroy: { viewers: "Closing open desktops", resources: "Deleting machine, address and firewall" },
}

/** What happens in an operation, as it is told to whoever watches. */
export type OperationEvent = { at: number } & (
  | { type: "step"; step: StepName; state: "begun" | "done" | "failed" }
  | { type: "log"; text: string }
  | { type: "state"; state: OperationState; failure?: Failure }
)

/** An operation out of the hash it is stored as; null for an empty one. */
export function parseOperation(hash: Record<string, string>): Operation | null {
  if (hash.info === undefined) return null
  return {
    ...(JSON.parse(hash.info) as OperationInfo),
    state: hash.state as OperationState,
    epoch: Number(hash.epoch),
    attempts: Number(hash.attempts ?? 0),
    startedAt: hash.startedAt ? Number(hash.startedAt) : null,
    finishedAt: hash.finishedAt ? Number(hash.finishedAt) : null,
    failure: hash.failure ? (JSON.parse(hash.failure) as Failure) : null,
  }
}

/** Does nothing more happen in it? */
export const isOver = ({ state }: Pick<Operation, "state">) =>
  state === "succeeded" || state === "failed" || state === "cancelled"
