import type { Redis } from "ioredis"
import { isOver } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import { lastSweep, type SweepReport } from "../sweeps/sweep.ts"
import { countedAs } from "../usage/billing.ts"
import { monthAfter, monthOf, startOf } from "../usage/months.ts"
import { totalCosts, type WorkspaceUsage } from "../usage/usage.ts"
import type { UsageReport } from "../usage/usage-report.ts"
import type { WeatherNow } from "../weather/judge.ts"
import type { Weather } from "../weather/weather.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { State } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { countStates } from "./fleet.ts"

const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
/** For so long what a month has cost counts as known: each look reads the month's file. */
const COST_FRESH_MS = 30_000
/** Failed operations that are counted at most. */
const MOST_FAILED = 1_000

export interface Cost {
  currency: string
  /** So far this month, before tax. */
  amount: number
  /** At the month's end, when all stays as it is now. */
  forecast: number
}

/** How everything stands, in numbers. */
export interface Overview {
  states: { state: State; count: number }[]
  operations: { queued: number; running: number; failed24h: number }
  weather: WeatherNow
  sweep: SweepReport | null
  backups: { unproven: number; none: number }
  costs: Cost[]
}

interface Means {
  redis: Redis
  store: WorkspaceStore
  queue: OperationQueue
  /** Of all the provider's projects the worst. */
  weather: Pick<Weather, "now">
  usage: UsageReport
  now: () => number
}

/** @returns a function that looks at all of it */
export function createOverview({ redis, store, weather, usage, now }: Means): () => Promise<Overview> {
  let known: { at: number; costs: Promise<WorkspaceUsage[]> } | null = null
  const monthsUsage = () => {
    if (known && now() - known.at < COST_FRESH_MS) return known.costs
    const costs = usage.ofAll(monthOf(now())).then(all => [...all.values()].flat())
    known = { at: now(), costs }
    costs.catch(() => {
      known = null
    })
    return costs
  }

  return async () => {
    const [ids, going, failed, sky, sweep, used] = await Promise.all([
      store.ids(),
      store.going(),
      store.failedSince(now() - DAY_MS, MOST_FAILED),
      weather.now(),
      lastSweep(redis),
      monthsUsage(),
    ])
    const all = (await Promise.all(ids.map(store.get))).filter(one => one !== null)
    const open = going.filter(one => !isOver(one))
    return {
      states: countStates(all),
      operations: {
        queued: open.filter(one => one.state === "queued").length,
        running: open.filter(one => one.state === "running").length,
        failed24h: failed.length,
      },
      ...{ weather: sky, sweep },
      backups: {
        unproven: all.filter(one => one.backups?.last != null && one.backups.lastProven === null).length,
        none: all.filter(one => one.backups?.last == null && one.unsavedSince !== null).length,
      },
      costs: costsOf(used, all, now()),
    }
  }
}

/** What a month has cost, and will have when all stays as it is. Pure. */
export function costsOf(used: WorkspaceUsage[], all: Workspace[], now: number): Cost[] {
  const hoursLeft = (startOf(monthAfter(monthOf(now))) - now) / HOUR_MS
  const spentOn = new Map(used.map(one => [one.workspace, one.costs]))
  const more = new Map<string, number>()
  for (const { id, state, provider, price, stopMode } of all) {
    const share = countedAs(state, provider, stopMode)?.share ?? 0
    if (!price || share === 0) continue
    const spent = spentOn.get(id)?.find(one => one.currency === price.currency)?.amount ?? 0
    // A machine costs its monthly price at most.
    const coming = Math.max(0, Math.min(price.hourly * hoursLeft * share, price.monthly - spent))
    more.set(price.currency, (more.get(price.currency) ?? 0) + coming)
  }
  const spent = new Map(totalCosts(used).map(one => [one.currency, one.amount]))
  return [...new Set([...spent.keys(), ...more.keys()])].map(currency => {
    const amount = spent.get(currency) ?? 0
    return { currency, amount, forecast: amount + (more.get(currency) ?? 0) }
  })
}
