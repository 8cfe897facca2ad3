import type { Facts } from "./facts.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Why a certificate is asked for. */
export type Why = "first" | "expired" | "another authority" | "renewal"

/** Tries since the last success, as they outlive the agent. Times are milliseconds since 1970. */
export interface Tries {
  failures: number
  lastAt: number
  /** What went wrong the last time. */
  kind: string
  reason: string
  /** Until when the authority wants to be left alone; 0 where it said nothing. */
  leaveAloneUntil: number
  /** Whom they asked; an agent from before did not note it. */
  directory?: string
  /** Of the settings they were made with: others begin anew. */
  settings: string
}

/** What is remembered beside the certificate. */
export interface Memory {
  /** Directory that the certificate came from; null while it is the machine's own. */
  directory: string | null
  /** When it came; 0 for never. */
  obtainedAt: number
  tries: Tries | null
}

/** A certificate is renewed when so much of its time is over, and this much later at most, by its spread. */
const RENEW_AT = 2 / 3
const RENEW_WITHIN = 1 / 12
/**
 * Whatever the machine's clock says of a certificate that has just come, so long none is asked for, or a third of its
 * time: a clock that is wrong by months must not use up what the authority grants.
 */
const REST_MS = 24 * HOUR
/** The operator has named another authority: all machines go there within this time. */
const CHANGE_WITHIN_MS = HOUR

/**
 * The wait after so many failures in a row; the last one goes on. Five tries fit into the first hour, which is how many
 * Let's Encrypt lets fail for one name.
 */
const WAITS = [30_000, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR]

/** When which certificate is to be asked for. Pure. */
export function nextAsking(given: {
  facts: Facts | null
  memory: Memory
  /** What the settings say now: the directory, and the digest of all of them. */
  directory: string
  settings: string
  /** When this machine heard of them. */
  since: number
  now: number
}): { why: Why; at: number } {
  const { facts, memory, settings, now } = given
  const { why, at } = wish(given)
  if (why !== "first" && memory.obtainedAt <= now && memory.directory === given.directory && facts !== null) {
    const rest = Math.min(REST_MS, (facts.notAfter - facts.notBefore) / 3)
    if (memory.obtainedAt + rest > at) return { why, at: memory.obtainedAt + rest }
  }
  const tries = memory.tries?.settings === settings ? memory.tries : null
  // A clock that was set back must not make a wait of months out of one of minutes.
  if (tries === null || tries.failures === 0 || tries.lastAt > now) return { why, at }
  const wait = waitAfter(tries.failures, facts?.spread ?? 0)
  return { why, at: Math.max(at, tries.lastAt + wait, Math.min(tries.leaveAloneUntil, now + 24 * HOUR)) }
}

function wish(given: Parameters<typeof nextAsking>[0]): { why: Why; at: number } {
  const { facts, memory, directory, since, now } = given
  if (facts === null || facts.isSelfSigned || !facts.fits) return { why: "first", at: now }
  if (facts.notAfter <= now) return { why: "expired", at: now }
  const life = facts.notAfter - facts.notBefore
  const renewal = facts.notBefore + life * (RENEW_AT + RENEW_WITHIN * facts.spread)
  const change = since + CHANGE_WITHIN_MS * facts.spread
  if (memory.directory !== directory && change < renewal) return { why: "another authority", at: change }
  return { why: "renewal", at: renewal }
}

/** Milliseconds to wait after failures in a row. */
export function waitAfter(failures: number, spread: number): number {
  const wait = WAITS[Math.min(failures, WAITS.length) - 1] ?? 0
  return wait * (1 - spread / 4)
}
