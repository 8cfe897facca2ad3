/** States of a workspace, as the requirements name them. */
export const STATES = [
  "PROVISIONING",
  "RUNNING",
  "IDLE",
  "STOPPING",
  "STOPPED",
  "STARTING",
  "FAILED",
  "TERMINATING",
  "TERMINATED",
] as const
export type State = (typeof STATES)[number]

/** What can be done to a workspace. */
export const KINDS = ["create", "start", "stop", "destroy"] as const
export type Kind = (typeof KINDS)[number]

/** One way through the states: where it may begin, what it shows meanwhile, and how it ends. */
interface Transition {
  /** States in which it may be asked for. `null` is no workspace at all. */
  from: readonly (State | null)[]
  during: State
  done: State
  failed: State
}

/**
 * The table of all moves. FAILED is left by doing again what failed (`retry`), or by `destroy`, which may be asked for
 * at any time: the epoch it raises fences off whatever else is going on.
 */
export const TRANSITIONS: Record<Kind, Transition> = {
  create: { from: [null], during: "PROVISIONING", done: "RUNNING", failed: "FAILED" },
  start: { from: ["STOPPED"], during: "STARTING", done: "RUNNING", failed: "FAILED" },
  stop: { from: ["RUNNING", "IDLE"], during: "STOPPING", done: "STOPPED", failed: "FAILED" },
  destroy: {
    from: ["PROVISIONING", "RUNNING", "IDLE", "STOPPING", "STOPPED", "STARTING", "FAILED"],
    during: "TERMINATING",
    done: "TERMINATED",
    failed: "FAILED",
  },
}

/** Moves that need no operation: what the use of its machine makes of a workspace, see service/idleness. */
export const SHIFTS = {
  rest: { from: "RUNNING", to: "IDLE" },
  rouse: { from: "IDLE", to: "RUNNING" },
} as const satisfies Record<string, { from: State; to: State }>

/** May a workspace go from one state to another at all, by whatever move? */
export function isLegal(from: State, to: State): boolean {
  if (Object.values(SHIFTS).some(shift => shift.from === from && shift.to === to)) return true
  return Object.values(TRANSITIONS).some(
    move =>
      (move.from.includes(from) && move.during === to) ||
      (move.during === from && (move.done === to || move.failed === to)) ||
      // Doing again what failed.
      (from === "FAILED" && move.during === to),
  )
}

/** Is somebody on a machine in this state let in? */
export const admits = (state: State) => state === "RUNNING" || state === "IDLE"

/** Does something go on that ends by itself? */
export const isMoving = (state: State) => Object.values(TRANSITIONS).some(move => move.during === state)
