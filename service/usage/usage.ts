import { capsMonths, countedAs, shareOf, USAGE_KINDS, type UsageKind } from "./billing.ts"
import { identityOf, inOrder, type LedgerLine, type LinePrice } from "./ledger-line.ts"
import { type Month, partsByMonth } from "./months.ts"

/** What one workspace was in one month. */
export interface WorkspaceUsage
  extends Pick<LedgerLine, "workspace" | "owner" | "name" | "profile" | "provider" | "region" | "size"> {
  month: Month
  /** Seconds by kind, to the millisecond. */
  seconds: Record<UsageKind, number>
  /** Estimated cost before tax; more than one entry where prices were in more than one currency. */
  costs: { currency: string; amount: number }[]
  /** Seconds that cost something, but what is not known. */
  unpricedSeconds: number
}

const MS_PER_HOUR = 3_600_000

interface Tally {
  line: LedgerLine
  ms: Record<UsageKind, number>
  unpricedMs: number
  /** By currency: the sum of the intervals, and the highest price of a month among them. */
  costs: Map<string, { sum: number; cap: number }>
}

/**
 * How long each workspace was what, and what it cost about, by month (UTC), oldest first. Pure. An interval lasts from
 * one line to the workspace's next, the last one up to `now`; it costs its share (see billing.ts) of the hourly price on
 * its first line, to the millisecond: **not rounded up** to started hours, as Hetzner does for each machine, so the bill
 * may be higher by less than an hour a machine. Where the provider caps a month, so does the estimate.
 * @param lines in any order; copies do not count
 * @param now ms; where clocks differ no interval gets shorter than nothing
 */
export function usageOf(lines: Iterable<LedgerLine>, now: number): WorkspaceUsage[] {
  const all = [...byOwner(lines).values()].flatMap(its => usageOfOne(its.sort(inOrder), now))
  return all.sort((a, b) => compare(a.month, b.month) || compare(a.workspace, b.workspace))
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))

/** Lines of each workspace under each owner: what was a spare machine has two, one after the other. */
function byOwner(lines: Iterable<LedgerLine>): Map<string, LedgerLine[]> {
  const seen = new Set<string>()
  const found = new Map<string, LedgerLine[]>()
  for (const line of lines) {
    const identity = identityOf(line)
    if (seen.has(identity)) continue
    seen.add(identity)
    const whose = `${line.workspace} ${line.owner}`
    const its = found.get(whose)
    if (its) its.push(line)
    else found.set(whose, [line])
  }
  return found
}

function usageOfOne(lines: LedgerLine[], now: number): WorkspaceUsage[] {
  const months = new Map<Month, Tally>()
  let begun = Number.NEGATIVE_INFINITY
  for (const [place, line] of lines.entries()) {
    begun = Math.max(begun, line.at)
    const counted = countedAs(line.to, line.provider, line.stopMode)
    if (!counted) continue
    const ended = Math.max(begun, lines[place + 1]?.at ?? now)
    for (const { month, ms } of partsByMonth(begun, ended)) {
      const tally = months.get(month) ?? emptyTally(line)
      months.set(month, tally)
      tally.line = line
      tally.ms[counted.kind] += ms
      const share = shareOf(counted, line.price)
      if (share > 0) addCost(tally, line.price, ms, share)
    }
  }
  return [...months].map(([month, tally]) => present(month, tally))
}

const emptyTally = (line: LedgerLine): Tally => ({
  line,
  ms: Object.fromEntries(USAGE_KINDS.map(kind => [kind, 0])) as Tally["ms"],
  unpricedMs: 0,
  costs: new Map(),
})

function addCost(tally: Tally, price: LinePrice | null, ms: number, share: number): void {
  if (!price) {
    tally.unpricedMs += ms
    return
  }
  const { sum, cap } = tally.costs.get(price.currency) ?? { sum: 0, cap: 0 }
  tally.costs.set(price.currency, {
    sum: sum + (ms / MS_PER_HOUR) * price.hourly * share,
    cap: Math.max(cap, price.monthly),
  })
}

function present(month: Month, { line, ms, unpricedMs, costs }: Tally): WorkspaceUsage {
  const { workspace, owner, name, profile, provider, region, size } = line
  const seconds = Object.fromEntries(USAGE_KINDS.map(kind => [kind, ms[kind] / 1000])) as WorkspaceUsage["seconds"]
  const amounts = [...costs].map(([currency, { sum, cap }]) => ({
    currency,
    amount: capsMonths(provider) ? Math.min(sum, cap) : sum,
  }))
  return {
    ...{ month, workspace, owner, name, profile, provider, region, size, seconds },
    costs: amounts.sort((a, b) => compare(a.currency, b.currency)),
    unpricedSeconds: unpricedMs / 1000,
  }
}

/** Costs of several workspaces together, by currency. */
export function totalCosts(usage: Pick<WorkspaceUsage, "costs">[]): { currency: string; amount: number }[] {
  const sums = new Map<string, number>()
  for (const { currency, amount } of usage.flatMap(one => one.costs)) {
    sums.set(currency, (sums.get(currency) ?? 0) + amount)
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount })).sort((a, b) => compare(a.currency, b.currency))
}
