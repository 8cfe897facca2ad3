import type { LabelledResource } from "./machines/contract.ts"
import type { Adoptions } from "./programs/contract.ts"

/**
 * What a run that was cut off left in a stack, and what mends it. Pure: facts in, a plan out; recover-stack.ts finds
 * the facts and carries the plan out.
 */

/** Something a run had begun and not ended when its state was last written. */
export interface PendingOperation {
  /** The name the program gives the resource. */
  name: string
  /** Pulumi's type of it. */
  type: string
  /** Pulumi's word: `creating`, `updating`, `deleting`, `reading` or `importing`. */
  operation: string
}

export interface StackFacts {
  pending: PendingOperation[]
  /** What the state knows, with the id at the provider. */
  recorded: LabelledResource[]
  /** When the state was last written, milliseconds since 1970. */
  writtenAt: number
  /** What carries the workspace's label at the provider. */
  provider: LabelledResource[]
}

export interface RecoveryPlan {
  /** What the next `up` takes in instead of making it again. */
  adopt: Adoptions
  /** Pending operations that are known to have come to nothing, or that the state knows the end of: forgotten. */
  forget: PendingOperation[]
  /** Creations nobody can tell about yet: whoever asks again after `lookAgainAt` can. */
  unsure: PendingOperation[]
  /** Milliseconds since 1970; null when nothing is unsure. */
  lookAgainAt: number | null
  /** Must the real resources be read into the state first? What was being changed or removed may be either. */
  refresh: boolean
  /** Carries the label beside what the state knows by the same name. Nothing removes it by itself: a person must look. */
  surplus: LabelledResource[]
}

/**
 * How long a provider may take to show what it was asked for, milliseconds. Hetzner's lists show a server with the
 * answer to its creation; a request of a killed run may still be under way for as long as its client waits, 60 s.
 */
export const CONSISTENCY_MS = 90_000

const keyOf = ({ type, name }: { type: string; name: string }) => `${type}::${name}`

/** @param now milliseconds since 1970 */
export function planRecovery(facts: StackFacts, now: number): RecoveryPlan {
  const recorded = new Map(facts.recorded.map(one => [keyOf(one), one.id]))
  const inState = (one: LabelledResource) => `${keyOf(one)}::${one.recordedAs ?? one.id}`
  const known = new Set(facts.recorded.map(inState))
  const real = new Set(facts.provider.map(inState))
  const unknown = facts.provider.filter(one => !known.has(inState(one)))

  const adopt: Adoptions = {}
  const surplus: LabelledResource[] = []
  for (const one of unknown) {
    if (recorded.has(keyOf(one)) || one.name in adopt) surplus.push(one)
    else adopt[one.name] = one.id
  }

  const settlesAt = facts.writtenAt + CONSISTENCY_MS
  const creations = facts.pending.filter(one => one.operation === "creating")
  const open = creations.filter(one => !recorded.has(keyOf(one)) && !(one.name in adopt))
  const unsure = now < settlesAt ? open : []
  return {
    adopt,
    // What is taken in is recorded by then: it is forgotten when somebody looks the next time.
    forget: creations.filter(one => recorded.has(keyOf(one)) || (open.includes(one) && !unsure.includes(one))),
    unsure,
    lookAgainAt: unsure.length > 0 ? settlesAt : null,
    refresh:
      facts.pending.some(one => one.operation !== "creating") ||
      // Recorded under an id that the provider does not have: the state is an old one, or somebody was at work by hand.
      facts.recorded.some(one => !real.has(inState(one))),
    surplus,
  }
}
