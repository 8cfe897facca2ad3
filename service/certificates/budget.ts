/** How many new names an authority gives certificates to: `most` at once, and then one each `periodMs / most`. */
export interface Allowance {
  /** 0: no such number. */
  most: number
  periodMs: number
}

/**
 * Let's Encrypt counts so for each registered domain: 50 in 7 days, of which one comes back every 202 minutes
 * (https://letsencrypt.org/docs/rate-limits/#new-certificates-per-registered-domain). Renewals do not count.
 */
export const WEEK_MS = 7 * 24 * 3_600_000

/**
 * What is used is kept as one number, as the authority keeps it (the generic cell rate algorithm): the time at which all
 * of it will have come back, ms since 1970.
 */
export type UsedUntil = number

const gapOf = ({ most, periodMs }: Allowance) => periodMs / most

/** How many are used now, in parts too: what comes back does so bit by bit. */
export function used(until: UsedUntil, allowance: Allowance, now: number): number {
  return allowance.most === 0 ? 0 : Math.max(0, until - now) / gapOf(allowance)
}

/** How many may be asked for now. */
export function free(until: UsedUntil, allowance: Allowance, now: number): number {
  if (allowance.most === 0) return Number.POSITIVE_INFINITY
  // A millisecond that dividing has lost is none that anybody waits for.
  return Math.max(0, Math.floor(allowance.most - used(until, allowance, now) + 1e-6))
}

/** After one more, at `at`. */
export const after = (until: UsedUntil, allowance: Allowance, at: number): UsedUntil =>
  allowance.most === 0 ? until : Math.max(until, at) + gapOf(allowance)

/** After one was given back that nobody asked for in the end. */
export const without = (until: UsedUntil, allowance: Allowance): UsedUntil =>
  allowance.most === 0 ? until : until - gapOf(allowance)

/** The same use under another allowance: as many are used as were. */
export function under(until: UsedUntil, before: Allowance, allowance: Allowance, now: number): UsedUntil {
  if (before.most === allowance.most) return until
  return allowance.most === 0 ? 0 : now + used(until, before, now) * gapOf(allowance)
}

/** When there is room for one, where `before` others wait for theirs. */
export function roomAt(until: UsedUntil, allowance: Allowance, before: number, now: number): number {
  const room = free(until, allowance, now)
  if (room > before) return now
  return Math.max(now, until - (allowance.most - 1 - before) * gapOf(allowance))
}
