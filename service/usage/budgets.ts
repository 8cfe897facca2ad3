import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { WARM_POOL } from "../warm/words.ts"
import { type Month, monthOf } from "./months.ts"
import { totalCosts, type WorkspaceUsage } from "./usage.ts"
import type { UsageReport } from "./usage-report.ts"

export const BUDGET_ACTIONS = ["stop", "warn"] as const

/** What a user's workspaces may cost in a calendar month (UTC). */
export interface Budget {
  /** Before tax, in the currency of the prices. Where those have several, each currency is held against it alone. */
  amount: number
  /** What happens when it is used up: running workspaces are stopped and no new ones begun, or nothing but a message. */
  action: (typeof BUDGET_ACTIONS)[number]
}

/** How much of a budget a month has used. */
export interface BudgetUse {
  month: Month
  budget: Budget
  /** What counts most against it. */
  spent: { currency: string; amount: number } | null
  /** Spent ÷ budget; 1 is all of it. */
  part: number
}

export interface Budgets {
  /** A user's budget: their own, else the operator's default, else null. */
  get(user: string): Promise<Budget | null>
  set(user: string, budget: Budget): Promise<void>
  /** Forgets the user's own one: the operator's default holds again. */
  clear(user: string): Promise<void>
  /** How much is used this month; null without a budget. */
  useOf(user: string): Promise<BudgetUse | null>
  /** The same for everybody who has one and has used something. */
  uses(): Promise<Map<string, BudgetUse>>
  /** @throws ServiceError `budget-reached` when the user may not begin anything that costs */
  refuse(user: string): Promise<void>
}

const KEY = `${PREFIX}budgets`

/** @param byDefault of users who have set none @param now clock in ms */
export function createBudgets(redis: Redis, report: UsageReport, byDefault: Budget | null, now: () => number): Budgets {
  const parse = (text: string | null | undefined) => (text ? (JSON.parse(text) as Budget) : byDefault)
  const get = async (user: string) => parse(await redis.hget(KEY, user))

  async function useOf(user: string): Promise<BudgetUse | null> {
    const budget = await get(user)
    const month = monthOf(now())
    return budget ? budgetUse(month, budget, await report.of(user, month)) : null
  }

  return {
    get,
    useOf,
    async set(user, budget) {
      await redis.hset(KEY, user, JSON.stringify(budget))
    },
    async clear(user) {
      await redis.hdel(KEY, user)
    },
    async uses() {
      const own = await redis.hgetall(KEY)
      // Without any budget the ledger need not be read.
      if (!byDefault && Object.keys(own).length === 0) return new Map()
      const month = monthOf(now())
      const found = new Map<string, BudgetUse>()
      for (const [user, usage] of await report.ofAll(month)) {
        // What spare machines cost has a limit of its own.
        if (user === WARM_POOL) continue
        const budget = parse(own[user])
        if (budget) found.set(user, budgetUse(month, budget, usage))
      }
      return found
    },
    async refuse(user) {
      const use = await useOf(user)
      if (!use || use.part < 1 || use.budget.action !== "stop") return
      throw new ServiceError(
        "budget-reached",
        409,
        `Your budget of ${use.budget.amount} ${use.spent?.currency ?? ""} for ${use.month} is used up: raise it on the page Usage, or wait for the next month.`,
      )
    },
  }
}

/** Pure. */
export function budgetUse(month: Month, budget: Budget, usage: WorkspaceUsage[]): BudgetUse {
  const [most] = totalCosts(usage).sort((a, b) => b.amount - a.amount)
  return { month, budget, spent: most ?? null, part: (most?.amount ?? 0) / budget.amount }
}
