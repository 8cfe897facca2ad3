import type { ImageId } from "../../infra/image-id.ts"
import type { Trace } from "../traces/span.ts"
import type { Kind } from "../workspaces/transitions.ts"
import type { Failure, Place } from "../workspaces/workspace.ts"

export type OperationState = "queued" | "running" | "succeeded" | "failed" | "cancelled"

/** What an operation is, fixed when it is asked for. */
export interface OperationInfo {
  id: string
  workspace: string
  owner: string
  kind: Kind
  /** User id of who asked for it. */
  requestedBy: string
  /** Id of the request that an operator asked for it in. */
  request?: string
  createdAt: number
  wish?: Wish
  /** Median seconds of earlier ones of the same kind, in all and by step; empty where there were none. */
  estimate: Estimate
  /** Where it stands in a trace; those from before there were traces stand in none. */
  trace?: Trace
}

/** What was asked for, beyond the kind. */
export interface Wish {
  /** Where the machine shall be, and which one: of a start after hibernation, a resize and a move. */
  place?: Place
  /** The snapshot to restore, to make a workspace from, or to try out. */
  snapshot?: string
  /** The golden image to upgrade to. */
  image?: ImageId
  /** Was it off? Then it is off again after an upgrade. */
  rest?: boolean
  /** How it was before an upgrade that failed on the way back too: tried again, it goes back to that. */
  safety?: string
  /** What a backup is called. */
  name?: string
  /** A deletion that keeps no last snapshot. */
  leavesNothing?: boolean
  /** Why the service itself began a stop, in words that follow "It was stopped because". */
  because?: string
  /** A repair that only notes in the stack what is accepted. */
  settles?: boolean
  /** Its machine was a spare one, see service/warm. */
  spare?: boolean
  /** Made by the schedule, not by a person. */
  scheduled?: boolean
}

export interface Estimate {
  seconds: number | null
  steps: Partial<Record<StepName, number>>
  /** Of what is within the steps, by `partKey`. */
  parts?: Record<string, number>
}

/** An operation as it is now. Times are milliseconds since 1970. */
export interface Operation extends OperationInfo {
  state: OperationState
  epoch: number
  attempts: number
  startedAt: number | null
  finishedAt: number | null
  failure: Failure | null
  /** How far it has come, by notes of its runs. */
  marks: Record<string, string>
}

/** What went wrong, for operators. */
export interface Fault {
  id: string
  message: string
  detail: string | null
}

/** Why an operation failed, in the words for operators; null where nobody noted it. */
export const faultOf = ({ marks }: Pick<Operation, "marks">): Fault | null =>
  marks.fault === undefined ? null : (JSON.parse(marks.fault) as Fault)

/** Steps in the order a person sees them, by kind. */
export const STEPS = {
  create: ["check", "resources", "boot", "desktop"],
  start: ["power", "boot", "desktop"],
  stop: ["viewers", "power"],
  hibernate: ["viewers", "power", "snapshot", "resources"],
  wake: ["check", "resources", "boot", "desktop"],
  backup: ["flush", "snapshot"],
  repair: ["resources", "power", "look"],
  prove: ["check", "resources", "boot", "compare"],
  restore: ["viewers", "power", "snapshot", "resources", "boot", "desktop"],
  resize: ["viewers", "power", "resources", "boot", "desktop"],
  move: ["viewers", "power", "snapshot", "resources", "boot", "desktop"],
  upgrade: [
    ...(["check", "viewers", "carry-out", "power", "snapshot", "resources"] as const),
    ...(["carry-in", "boot", "desktop"] as const),
  ],
  destroy: ["viewers", "snapshot", "resources"],
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
  hibernate: {
    viewers: "Closing open desktops",
    power: "Shutting the machine down",
    snapshot: "Keeping its disk as a snapshot",
    resources: "Putting the machine away",
  },
  wake: {
    check: "Checking size and place",
    resources: "Making the machine from its snapshot",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  repair: {
    resources: "Making address, firewall and names as they were",
    power: "Looking whether the machine is on or off as it shall be",
    look: "Comparing once more",
  },
  backup: { flush: "Writing everything to the disk", snapshot: "Making the backup" },
  prove: {
    check: "Looking for the backup",
    resources: "Making a machine from it that nobody can reach",
    boot: "Starting that machine",
    compare: "Checking and comparing what it finds",
  },
  restore: {
    viewers: "Closing open desktops",
    power: "Shutting the machine down",
    snapshot: "Keeping it as it is, in case",
    resources: "Making the machine from the backup",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  resize: {
    viewers: "Closing open desktops",
    power: "Shutting the machine down",
    resources: "Giving it its new size",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  move: {
    viewers: "Closing open desktops",
    power: "Shutting the machine down",
    snapshot: "Keeping its disk as a snapshot",
    resources: "Making the machine in its new place",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  upgrade: {
    check: "Looking whether it can be done",
    viewers: "Closing open desktops",
    "carry-out": "Putting your files and programs aside",
    power: "Shutting the machine down",
    snapshot: "Keeping it as it is, in case",
    resources: "Giving the machine its new image",
    "carry-in": "Bringing your files and programs back",
    boot: "Starting the machine",
    desktop: "Getting the desktop ready",
  },
  destroy: {
    viewers: "Closing open desktops",
    snapshot: "Keeping its disk for a while",
    resources: "Deleting machine, address and firewall",
  },
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
    marks: Object.fromEntries(
      Object.entries(hash).flatMap(([name, value]) => (name.startsWith("mark:") ? [[name.slice(5), value]] : [])),
    ),
  }
}

/** Does nothing more happen in it? */
export const isOver = ({ state }: Pick<Operation, "state">) =>
  state === "succeeded" || state === "failed" || state === "cancelled"
