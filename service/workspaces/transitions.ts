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
export const KINDS = [
  ...(["create", "start", "stop", "destroy"] as const),
  ...(["hibernate", "wake", "backup", "restore", "resize", "move", "upgrade", "repair"] as const),
] as const
/** Operations beside those: they look at what a workspace has left, and neither hold it up nor change it. */
export const KINDS_BESIDE = ["prove"] as const
export type Kind = (typeof KINDS)[number] | (typeof KINDS_BESIDE)[number]

export const isBeside = (kind: Kind): boolean => KINDS_BESIDE.some(one => one === kind)

/** One way through the states: where it may begin, what it shows meanwhile, and how it ends. */
interface Transition {
  /** States in which it may be asked for. `null` is no workspace at all. */
  from: readonly (State | null)[]
  /** `null`, here and below: the state it has. */
  during: State | null
  done: State | null
  failed: State | null
  /** Where it may also end when it did not succeed and everything is as it was. */
  returns?: readonly State[]
}

const REPLACING = {
  during: "STARTING",
  done: "RUNNING",
  failed: "FAILED",
  returns: ["RUNNING", "STOPPED"],
} as const

/**
 * The table of all moves. FAILED is left by doing again what failed (`retry`), or by `destroy`, which may be asked for
 * at any time: the epoch it raises fences off whatever else is going on.
 */
export const TRANSITIONS: Record<Kind, Transition> = {
  create: { from: [null], during: "PROVISIONING", done: "RUNNING", failed: "FAILED" },
  start: { from: ["STOPPED"], during: "STARTING", done: "RUNNING", failed: "FAILED", returns: ["STOPPED"] },
  stop: { from: ["RUNNING", "IDLE"], during: "STOPPING", done: "STOPPED", failed: "FAILED" },
  // As stop and start, but the machine is put away meanwhile, and made anew.
  hibernate: { from: ["RUNNING", "IDLE", "STOPPED"], during: "STOPPING", done: "STOPPED", failed: "FAILED" },
  wake: { from: ["STOPPED"], during: "STARTING", done: "RUNNING", failed: "FAILED", returns: ["STOPPED"] },
  // A workspace is at work while it is backed up, and asleep it may be too.
  backup: { from: ["RUNNING", "IDLE", "STOPPED"], during: null, done: null, failed: null },
  // What somebody has changed at the provider is changed back, and nobody at the desktop notices.
  repair: { from: ["RUNNING", "IDLE", "STOPPED"], during: null, done: null, failed: null },
  // Never begun on the workspace itself.
  prove: { from: [], during: null, done: null, failed: null },
  // These end with a machine that runs; when they do not succeed, it is the one from before (see `Returned`).
  restore: { from: ["RUNNING", "IDLE", "STOPPED", "FAILED"], ...REPLACING },
  resize: { from: ["RUNNING", "IDLE", "STOPPED"], ...REPLACING },
  move: { from: ["RUNNING", "IDLE", "STOPPED"], ...REPLACING },
  // One that was off is off again afterwards.
  upgrade: { from: ["RUNNING", "IDLE", "STOPPED"], ...REPLACING },
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
      (move.during === from && (move.done === to || move.failed === to || move.returns?.includes(to))) ||
      // Doing again what failed.
      (from === "FAILED" && move.during === to),
  )
}

/** Is somebody on a machine in this state let in? */
export const admits = (state: State) => state === "RUNNING" || state === "IDLE"

/** Does something go on that ends by itself? */
export const isMoving = (state: State) => Object.values(TRANSITIONS).some(move => move.during === state)

/** Operations of these kinds end with an open desktop. */
export const leadsToDesktop = (kind: Kind) => TRANSITIONS[kind].done === "RUNNING"
