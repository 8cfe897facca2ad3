import type { Redis } from "ioredis"
import { isOver } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import { lastSweep, type SweepReport } from "../sweeps/sweep.ts"
import { countedAs } from "../usage/billing.ts"
import { monthAfter, monthOf, startOf } from "../usage/months.ts"
import { totalCosts, type WorkspaceUsage } from "../usage/usage.ts"
import type { UsageReport } from "../usage/usage-report.ts"
import { isSpare } from "../warm/words.ts"
import { type WeatherNow, worstOf } from "../weather/judge.ts"
import type { Weathers } from "../weather/weathers.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { State } from "../workspaces/transitions.ts"
import type { Provider, Workspace } from "../workspaces/workspace.ts"
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

/** The weather of one of the providers' projects. */
export interface ProjectWeather extends WeatherNow {
  project: string
  provider: Provider
}

/** How everything stands, in numbers. */
export interface Overview {
  states: { state: State; count: number }[]
  operations: { queued: number; running: number; failed24h: number }
  /** Of all the providers' projects the worst. */
  weather: WeatherNow
  projects: ProjectWeather[]
  sweep: SweepReport | null
  backups: { unproven: number; none: number }
  costs: Cost[]
}

interface Means {
  redis: Redis
  store: WorkspaceStore
  queue: OperationQueue
  weathers: Pick<Weathers, "names" | "of">
  providerOf(project: string): Provider
  usage: UsageReport
  now: () => number
}

/** @returns a function that looks at all of it */
export function createOverview({ redis, store, weathers, providerOf, usage, now }: Means): () => Promise<Overview> {
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
      Promise.all(
        weathers.names.map(async project => ({
          ...{ project, provider: providerOf(project) },
          ...(await weathers.of(project).now()),
        })),
      ),
      lastSweep(redis),
      monthsUsage(),
    ])
    const held = (await Promise.all(ids.map(store.get))).filter(one => one !== null)
    const all = held.filter(one => !isSpare(one))
    const open = going.filter(one => !isOver(one))
    return {
      states: countStates(all),
      operations: {
        queued: open.filter(one => one.state === "queued").length,
        running: open.filter(one => one.state === "running").length,
        failed24h: failed.length,
      },
      ...{ weather: worstOf(sky), projects: sky, sweep },
      backups: {
        unproven: all.filter(one => one.backups?.last != null && one.backups.lastProven === null).length,
        none: all.filter(one => one.backups?.last == null && one.unsavedSince !== null).length,
      },
      costs: costsOf(used, held, now()),
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
