import { z } from "zod"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import { USAGE_KINDS } from "../../usage/billing.ts"
import { BUDGET_ACTIONS, type BudgetUse } from "../../usage/budgets.ts"
import { usageCsv } from "../../usage/csv.ts"
import { type Month, monthOf } from "../../usage/months.ts"
import { totalCosts, type WorkspaceUsage } from "../../usage/usage.ts"
import { type ApiRoute, route } from "./define.ts"

export const MonthText = z
  .string()
  .regex(/^20[0-9]{2}-(0[1-9]|1[0-2])$/, "must be a month, such as 2026-11")
  .meta({ description: "calendar month in UTC; the present one if left out", example: "2026-11" })
/** A budget as users set it. */
export const BudgetWish = z.strictObject({
  amount: z.number().min(0.01, "must be at least 0.01").max(1_000_000),
  action: z.enum(BUDGET_ACTIONS).default("stop").meta({
    description: "when it is used up: stop running workspaces and refuse to begin any, or only tell",
  }),
})

const Cost = z.object({ currency: z.string(), amount: z.number() })
const WorkspaceUsageSchema = z
  .object({
    workspace: z.string(),
    name: z.string(),
    profile: z.string(),
    provider: z.string(),
    region: z.string(),
    size: z.string(),
    seconds: z.object(Object.fromEntries(USAGE_KINDS.map(kind => [kind, z.number()]))),
    costs: z.array(Cost).meta({ description: "estimated from the prices of the time, before tax" }),
    unpricedSeconds: z.number().meta({ description: "seconds whose price is not known; they are not in the costs" }),
  })
  .meta({ id: "WorkspaceUsage" })
const BudgetSchema = z
  .object({
    amount: z.number(),
    action: z.enum(BUDGET_ACTIONS),
    month: z.string(),
    part: z.number().meta({ description: "spent ÷ budget this month; 1 is all of it" }),
  })
  .meta({ id: "Budget" })
const UsageSchema = z.object({
  month: z.string(),
  workspaces: z.array(WorkspaceUsageSchema),
  total: z.array(Cost),
})

/** `/usage` and `/budget`. */
export function usageRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { usage, now } = services
  const query = z.object({ month: MonthText.optional() })
  const read = (user: string, month: Month | undefined) => usage.of(user, month ?? monthOf(now()))

  const json = route({
    id: "getUsage",
    method: "get",
    path: "/usage",
    tag: "Usage",
    summary: "Get the usage of a month",
    description:
      "Seconds by kind and estimated cost of each of your workspaces, those deleted included. With `Accept: text/csv` as CSV.",
    scope: "read",
    query,
    replies: { 200: { description: "The usage", schema: UsageSchema, type: "text/csv" } },
    async handle({ caller, query: { month = monthOf(now()) }, ctx }) {
      const all = await read(caller.user.id, month)
      if (ctx.accepts("json", "text/csv") === "text/csv") return csvReply(month, all)
      return { status: 200, body: { month, workspaces: all.map(present), total: totalCosts(all) } }
    },
  })
  const csv = route({
    id: "getUsageCsv",
    method: "get",
    path: "/usage.csv",
    tag: "Usage",
    summary: "Get the usage of a month as CSV",
    scope: "read",
    query,
    replies: { 200: { description: "A line for each workspace", type: "text/csv" } },
    async handle({ caller, query: { month = monthOf(now()) } }) {
      return csvReply(month, await read(caller.user.id, month))
    },
  })
  return [json, csv, ...budgetRoutes(services, limits)]
}

function budgetRoutes({ budgets }: Services, limits: Limits): ApiRoute[] {
  const answer = async (user: string) => ({ status: 200, body: { budget: presentBudget(await budgets.useOf(user)) } })
  const common = { path: "/budget", tag: "Usage" } as const
  const replies = {
    200: { description: "The budget; null without one", schema: z.object({ budget: BudgetSchema.nullable() }) },
  }
  return [
    route({
      ...{ ...common, id: "getBudget", method: "get", summary: "Get your budget per month", scope: "read", replies },
      handle: ({ caller }) => answer(caller.user.id),
    }),
    route({
      ...{ ...common, id: "putBudget", method: "put", summary: "Set your budget per month", scope: "write", replies },
      description:
        "You are told at 80 % and at 100 %. It is in the currency of the prices, before tax, for a calendar month in UTC.",
      body: BudgetWish,
      async handle({ caller, body }) {
        await limits("change", caller.user.id)
        await budgets.set(caller.user.id, body)
        return answer(caller.user.id)
      },
    }),
    route({
      ...{ ...common, id: "deleteBudget", method: "delete", summary: "Forget your budget", scope: "write", replies },
      description: "What the operator has set for everybody, if anything, holds again.",
      async handle({ caller }) {
        await budgets.clear(caller.user.id)
        return answer(caller.user.id)
      },
    }),
  ]
}

function csvReply(month: Month, all: WorkspaceUsage[]) {
  const headers = { "Content-Disposition": `attachment; filename="usage-${month}.csv"` }
  return { status: 200, type: "text/csv", headers, body: usageCsv(all) }
}

function present({ owner: _, month: __, ...usage }: WorkspaceUsage): z.input<typeof WorkspaceUsageSchema> {
  return usage
}

const presentBudget = (use: BudgetUse | null): z.input<typeof BudgetSchema> | null =>
  use && { ...use.budget, month: use.month, part: use.part }
