/** How something is done to one workspace through the service. */
export interface ThroughOptions {
  force?: boolean
  dryRun?: boolean
  /** False: it is enough that it has begun. */
  wait?: boolean
  say?: (text: string) => void
}

/** How something is done to one stack on the backend itself. */
export interface DirectOptions {
  force?: boolean
  dryRun?: boolean
  /** Tells nothing on the way. */
  quiet?: boolean
}

/** Which difference shall stay, and why; or no longer. */
export interface Acceptance {
  difference: string
  reason: string
  undo: boolean
}
