import type { MachineCertificate } from "../machines/certificate.ts"
import { type Allowance, free, type UsedUntil } from "./budget.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Why an authority gave none to a workspace, as its machine told it. */
export interface Refusal {
  kind: string
  reason: string
  at: number
}

/** What is kept of a workspace. Authorities are known by their ids. */
export interface Standing {
  /** Whom its machine is told to ask, and since when; null: nobody. */
  given: { authority: string; at: number } | null
  /** Those that gave its name one before: another one is no new one for them. */
  issued: string[]
  /** By whom it was refused when. */
  refused: Record<string, Refusal>
  /** Since when it waits for its turn; null: it does not. */
  waitsSince: number | null
}

export const NOTHING_YET: Standing = { given: null, issued: [], refused: {}, waitsSince: null }

/** An authority, as all workspaces together know it. The first one of several is asked where nothing speaks against it. */
export interface AuthorityFacts {
  id: string
  directory: string
  allowance: Allowance
  usedUntil: UsedUntil
  /** Machines of several users were refused by it of late: it is down, or its limit is reached whatever we have counted. */
  closed: "down" | "limit" | null
}

/** A refusal that asking another one may help against, at once; others after some tries. */
const REFUSES = new Set([
  ...["rateLimited", "rejectedIdentifier", "unsupportedIdentifier", "caa", "externalAccountRequired"],
  "userActionRequired",
])
/** It does not get through to the machine: others will hardly. */
const CHALLENGE = new Set(["connection", "dns", "tls", "unauthorized", "incorrectResponse"])
const TRIES = { down: 2, challenge: 4 }
/** For so long who has refused is left out. */
const REMEMBERED_MS = 6 * HOUR
/** A certificate that is good for so long yet is not worth another authority. */
const NO_HURRY_MS = 7 * DAY
/** Where a machine does not say since when its certificate is good. */
const USUAL_LIFE_MS = 90 * DAY

/**
 * Whether an authority is closed, by what machines were told within the hour. What one user's machines say is not
 * believed for others: its user is root there. Pure.
 */
export function closedBy(
  refusals: { owner: string; kind: string; at: number }[],
  now: number,
): "down" | "limit" | null {
  const owners = (kinds: string[]) =>
    new Set(refusals.filter(one => kinds.includes(one.kind) && now - one.at < HOUR).map(one => one.owner)).size
  if (owners(["rateLimited"]) > 1) return "limit"
  return owners(["unreachable", "serverInternal"]) > 1 ? "down" : null
}

/** Is this a failure after which another authority is asked? Pure. */
export function isRefusal({ problem, ...report }: MachineCertificate, now: number): boolean {
  if (problem === null || problem.failures === 0) return false
  if (report.state === "issued" && Date.parse(report.expiresAt) - now > Math.min(NO_HURRY_MS, lifeOf(report) / 4)) {
    return false
  }
  if (REFUSES.has(problem.kind)) return true
  return problem.failures >= (CHALLENGE.has(problem.kind) ? TRIES.challenge : TRIES.down)
}

/** How long a certificate is good in all, ms. */
export function lifeOf({ issuedAt, expiresAt }: Pick<MachineCertificate, "issuedAt" | "expiresAt">): number {
  return issuedAt === undefined ? USUAL_LIFE_MS : Math.max(1, Date.parse(expiresAt) - Date.parse(issuedAt))
}

/** Whom a workspace's machine asks from now on; `isNew`: it counts against that authority's allowance. */
export interface Decision {
  standing: Standing
  isNew: boolean
  /** What was kept for it and goes back: it asks another one. */
  givesBack: string | null
}

/**
 * Which authority a workspace's machine shall ask. Pure.
 * @param before how many others wait whose turn is sooner
 * @param report of its certificate; null where it has not told of one
 */
export function decide(given: {
  standing: Standing
  report: MachineCertificate | null
  authorities: AuthorityFacts[]
  before: number
  now: number
}): Decision {
  const { report, authorities, before, now } = given
  const standing = heard(given)
  const current = authorities.find(one => one.id === standing.given?.authority)
  const same: Decision = { standing, isNew: false, givesBack: null }
  const others = authorities.filter(one => one !== current && !isRefusedBy(standing, one, now))
  const open = [...others.filter(one => one.closed === null), ...others.filter(one => one.closed !== null)]
  let candidates = open
  if (current !== undefined) {
    if (isRefusedBy(standing, current, now)) candidates = open
    else if (isDue(report, now)) candidates = open.filter(one => rank(one) < rank(current) && one.closed === null)
    else return { ...same, standing: { ...standing, waitsSince: null } }
  } else {
    // One that it has already is nothing to wait for.
    const holder = report?.state === "issued" && open.find(one => one.directory === report.authority)
    if (holder) return { ...same, standing: giveTo(holder) }
  }
  for (const one of candidates) {
    const isNew = !standing.issued.includes(one.id)
    if (isNew && (one.closed === "limit" || free(one.usedUntil, one.allowance, now) <= before)) continue
    const back = current !== undefined && !standing.issued.includes(current.id) ? current.id : null
    return { standing: giveTo(one), isNew, givesBack: back }
  }
  if (current !== undefined) return same
  return { ...same, standing: { ...standing, given: null, waitsSince: standing.waitsSince ?? now } }

  function rank(one: AuthorityFacts): number {
    return authorities.indexOf(one)
  }
  function giveTo(one: AuthorityFacts): Standing {
    return { ...standing, given: { authority: one.id, at: now }, waitsSince: null }
  }
}

/** What the machine's report changes in what is known of it. */
function heard({ standing, report, authorities, now }: Parameters<typeof decide>[0]): Standing {
  const refused = Object.fromEntries(
    Object.entries(standing.refused).filter(([, refusal]) => now - refusal.at < REMEMBERED_MS),
  )
  const known = { ...standing, refused }
  if (report === null || standing.given === null) return known
  const { authority, at } = standing.given
  const directory = authorities.find(one => one.id === authority)?.directory
  // An image from before this was told says nothing; what it reports a minute later is of the one it was told.
  const isOfIt = (told: string | undefined) => (told === undefined ? now - at > MINUTE : told === directory)
  const isNews = report.state === "issued" && isOfIt(report.authority) && !known.issued.includes(authority)
  const refusal =
    report.problem !== null && isOfIt(report.problem.authority) && isRefusal(report, now) && report.problem
  return {
    ...known,
    issued: [...known.issued, ...(isNews ? [authority] : [])],
    // Since the first time: what goes on being told must not keep the authority away for ever.
    ...(refusal
      ? { refused: { [authority]: { kind: refusal.kind, reason: refusal.reason, at: now }, ...refused } }
      : {}),
  }
}

const isRefusedBy = ({ refused }: Standing, { id }: AuthorityFacts, now: number) =>
  refused[id] !== undefined && now - refused[id].at < REMEMBERED_MS

/** Would the machine ask for another certificate soon? Then it may be one of the first authority again. */
function isDue(report: MachineCertificate | null, now: number): boolean {
  return report?.state === "issued" && Date.parse(report.expiresAt) - now < lifeOf(report) / 3
}
