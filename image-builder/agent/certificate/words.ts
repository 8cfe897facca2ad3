import type { Check } from "../checks.ts"
import type { Facts } from "./facts.ts"
import type { Memory, Why } from "./plan.ts"

/** A certificate as a report tells of it. */
export interface CertificateState {
  state: "self-signed" | "issued" | "expired"
  issuer: string
  expiresAt: string
  issuedAt: string
  /** Directory of the authority that it came from; left out for the machine's own. */
  authority?: string
  /** Is one being asked for now? */
  asking: boolean
  /** When one is asked for next; null where no authority is named. */
  nextAt: string | null
  /** Why the last try failed; null where it did not. */
  problem: { kind: string; reason: string; failures: number; authority?: string } | null
}

interface Given {
  /** Has the service said whether there is an authority? */
  known: boolean
  /** Is there one? */
  wanted: boolean
  facts: Facts | null
  memory: Memory
  next: { why: Why; at: number } | null
  asking: boolean
  now: number
}

const iso = (at: number) => new Date(at).toISOString()

/** Null where there is no certificate, so no door that could be opened either. Pure. */
export function stateOf({ facts, memory, next, asking, now }: Given): CertificateState | null {
  if (facts === null) return null
  const { tries } = memory
  return {
    state: facts.isSelfSigned ? "self-signed" : facts.notAfter <= now ? "expired" : "issued",
    issuer: facts.issuer,
    expiresAt: iso(facts.notAfter),
    issuedAt: iso(facts.notBefore),
    ...(facts.isSelfSigned || memory.directory === null ? {} : { authority: memory.directory }),
    asking,
    nextAt: next && iso(next.at),
    problem: tries && {
      ...{ kind: tries.kind, reason: tries.reason, failures: tries.failures },
      ...(tries.directory === undefined ? {} : { authority: tries.directory }),
    },
  }
}

/**
 * Whoever is led to the desktop shall meet a certificate that the browser trusts, where one can be had. It is waited
 * for until `limit` (ms since 1970), and not while nothing is tried before that. Pure.
 */
export function checkOf(given: Given & { limit: number }): Check {
  const { known, wanted, facts, memory, next, asking, now, limit } = given
  const check = (ok: boolean, detail: string): Check => ({ name: "certificate", ok, detail })
  if (!known) return check(now >= limit, "the service has not said whose it shall be")
  if (facts !== null && !facts.isSelfSigned && facts.fits && facts.notAfter > now)
    return check(true, `of ${facts.issuer}, until ${iso(facts.notAfter).slice(0, 10)}`)
  if (!wanted) return check(true, "self-signed")
  const why = memory.tries === null ? "" : `: ${memory.tries.reason}`
  const what = facts !== null && !facts.isSelfSigned && facts.fits ? "expired" : "self-signed"
  const comes = asking || (next !== null && next.at < limit)
  if (now < limit && comes) return check(false, `${what}; another one is asked for${why}`)
  return check(true, `${what}${why}`)
}
