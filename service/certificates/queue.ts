import { type Allowance, roomAt, type UsedUntil } from "./budget.ts"

/** A workspace that waits for its certificate. */
export interface Waiting {
  workspace: string
  since: number
  /** Is it in use? Somebody meets the warning now. */
  inUse: boolean
}

/** Who gets one next: whoever is at it, then who waits longest. Pure. */
export const inOrder = (waiting: Waiting[]): Waiting[] =>
  waiting.toSorted((one, other) => Number(other.inUse) - Number(one.inUse) || one.since - other.since)

/** When the one at a place (0: next) gets its certificate at the latest, by the soonest of several authorities. */
export const turnAt = (place: number, of: { allowance: Allowance; usedUntil: UsedUntil }[], now: number): number =>
  Math.min(...of.map(one => roomAt(one.usedUntil, one.allowance, place, now)))
