import type { Logger } from "pino"
import { ServiceError } from "../errors.ts"
import type { Notify } from "../notifications/outbox.ts"
import { admits } from "../workspaces/transitions.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { Budgets, BudgetUse } from "./budgets.ts"

/** Who an operation was requested by when a budget did it. */
export const BY_BUDGET = "budget"
/** Parts of a budget at which its owner is told, the highest first. */
const WARN_AT = [100, 80]

export interface BudgetWatch {
  budgets: Budgets
  workspaces: Pick<Workspaces, "listOf" | "stop">
  notify: Notify
  log: Logger
}

/**
 * Looks at everybody's budget: tells whose is nearly or all used, once a month, level and amount, and stops what runs
 * of those who wish that. What is on its way up now is stopped by the next look.
 */
export async function watchBudgets(watch: BudgetWatch): Promise<void> {
  for (const [user, use] of await watch.budgets.uses()) {
    await tell(watch, user, use)
    if (use.part >= 1 && use.budget.action === "stop") await stopAll(watch, user)
  }
}

async function tell({ notify }: BudgetWatch, user: string, { month, budget, spent, part }: BudgetUse): Promise<void> {
  const level = WARN_AT.find(percent => part * 100 >= percent)
  if (level === undefined || !spent) return
  const id = `budget-${user}-${month}-${level}-${budget.amount}`
  const stops = level === 100 && budget.action === "stop"
  const facts = { month, percent: level, amount: budget.amount, currency: spent.currency, spent: spent.amount, stops }
  await notify(user, "budget-near", facts, { id })
}

async function stopAll({ workspaces, log }: BudgetWatch, user: string): Promise<void> {
  for (const { id, state } of await workspaces.listOf(user)) {
    if (!admits(state)) continue
    log.info({ workspace: id, user }, "the owner's budget is used up: stopping it")
    const because = "your budget is used up"
    await workspaces.stop({ requestedBy: BY_BUDGET }, id, undefined, { because }).catch(error => {
      // Somebody was faster; the next look sees what came of it.
      if (!(error instanceof ServiceError)) throw error
    })
  }
}
