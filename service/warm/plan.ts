import type { State } from "../workspaces/transitions.ts"
import type { Place, Profile, Provider, SizeClass } from "../workspaces/workspace.ts"
import { keyOfKind, type WarmKind, type WarmSettings } from "./settings.ts"

/** A spare machine, as far as it matters whether it is kept. */
export interface SpareFacts {
  id: string
  provider: Provider
  region: string
  sizeClass: SizeClass
  profile: Profile
  state: State
  epoch: number
  /** Does an operation go on with it? */
  isBusy: boolean
  /** Is it of the image that new workspaces are made of now? */
  isCurrent: boolean
  createdAt: number
  price: Place["price"]
}

export interface PoolFacts {
  settings: WarmSettings
  spares: SpareFacts[]
  /** What a machine of each kind would cost a month now, by `keyOfKind`; a kind that is missing cannot be had. */
  prices: ReadonlyMap<string, { currency: string; monthly: number }>
  /** How many of a kind may be asked for while others are made, by `keyOfKind` (demand.ts). */
  demand: ReadonlyMap<string, number>
  /** Kinds of which none is made now: the last ones did not come to be. */
  waiting: ReadonlySet<string>
  /** Providers at which people found no room: there are none kept there now. */
  giving: ReadonlySet<Provider>
  /** Does somebody wait for a certificate's name? Each spare machine takes one too: none is made then. */
  isNameWanted: boolean
  /** How many creations and removals may go on at once. */
  atOnce: number
  /** Milliseconds since 1970. */
  now: number
}

/** Why a spare machine goes. */
export type Why = "failed" | "old" | "image" | "not-wanted" | "ceiling" | "room"

export interface PoolPlan {
  remove: { id: string; epoch: number; kind: string; why: Why }[]
  make: WarmKind[]
}

/** A record that says STOPPED or IDLE is not how the pool keeps its machines: somebody, or the provider, has switched it off. */
const isWell = ({ state }: SpareFacts) => state === "RUNNING" || state === "PROVISIONING"

/**
 * What is to be done about spare machines. Pure. Whatever there is costs, until it is gone: also what fails, and what is
 * being made or deleted. So the ceiling holds at every moment.
 */
export function planPool(facts: PoolFacts): PoolPlan {
  const { settings, spares, prices, waiting, giving, isNameWanted, now } = facts
  const isOff = settings.monthly === 0
  const wanted = new Map(
    settings.kinds.map(kind => [
      keyOfKind(kind),
      isOff || giving.has(kind.provider) ? 0 : wantedOf(kind, facts.demand),
    ]),
  )
  const oldestFirst = [...spares].sort((a, b) => a.createdAt - b.createdAt)
  const going = new Map<string, Why>()
  for (const one of oldestFirst) {
    if (!isWell(one)) going.set(one.id, "failed")
    else if (!one.isCurrent) going.set(one.id, "image")
    else if (now - one.createdAt > settings.maxAgeMs) going.set(one.id, "old")
  }
  const kept = () => oldestFirst.filter(one => !going.has(one.id))
  for (const [kind, its] of Map.groupBy(kept(), keyOfKind)) {
    const surplus = its.length - (wanted.get(kind) ?? 0)
    const why = giving.has(its[0]?.provider as Provider) ? "room" : "not-wanted"
    for (const one of its.slice(0, Math.max(0, surplus))) going.set(one.id, why)
  }
  for (const [currency, its] of Map.groupBy(kept(), one => one.price?.currency)) {
    let cost = sum(its.map(one => one.price?.monthly ?? 0))
    for (const one of its) {
      if (currency === undefined || cost <= settings.monthly) break
      going.set(one.id, "ceiling")
      cost -= one.price?.monthly ?? 0
    }
  }
  const isUnderWay = (one: SpareFacts) => one.isBusy || one.state === "TERMINATING"
  let room = Math.max(0, facts.atOnce - spares.filter(isUnderWay).length)
  const remove = oldestFirst.flatMap(one => {
    const why = going.get(one.id)
    if (why === undefined || isUnderWay(one) || room === 0) return []
    room--
    return [{ id: one.id, epoch: one.epoch, kind: keyOfKind(one), why }]
  })

  const costs = new Map<string, number>()
  for (const { price } of spares) if (price) costs.set(price.currency, (costs.get(price.currency) ?? 0) + price.monthly)
  const have = new Map([...Map.groupBy(kept(), keyOfKind)].map(([kind, its]) => [kind, its.length]))
  const make: WarmKind[] = []
  const lacking = settings.kinds.filter(kind => !waiting.has(keyOfKind(kind)))
  for (; room > 0 && !isNameWanted; room--) {
    const share = (kind: WarmKind) => (have.get(keyOfKind(kind)) ?? 0) / (wanted.get(keyOfKind(kind)) || 1)
    const next = lacking
      .filter(kind => {
        const [key, price] = [keyOfKind(kind), prices.get(keyOfKind(kind))]
        if (!price || (have.get(key) ?? 0) >= (wanted.get(key) ?? 0)) return false
        return (costs.get(price.currency) ?? 0) + price.monthly <= settings.monthly
      })
      // What lacks most of its share comes first.
      .sort((a, b) => share(a) - share(b))[0]
    if (!next) break
    make.push(next)
    const [key, price] = [keyOfKind(next), prices.get(keyOfKind(next))]
    have.set(key, (have.get(key) ?? 0) + 1)
    if (price) costs.set(price.currency, (costs.get(price.currency) ?? 0) + price.monthly)
  }
  return { remove, make }
}

/** How many of a kind there shall be: what is asked for, within what the settings say. Pure. */
export const wantedOf = (kind: WarmKind, demand: PoolFacts["demand"]): number =>
  Math.min(kind.most, Math.max(kind.count, demand.get(keyOfKind(kind)) ?? 0))

const sum = (all: number[]) => all.reduce((a, b) => a + b, 0)
