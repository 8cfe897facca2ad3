import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { type UsageModel, usagePage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { type Month, monthAfter, monthOf } from "../../usage/months.ts"
import { totalCosts } from "../../usage/usage.ts"
import { BudgetWish, MonthText } from "../api/usage.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"

/** The page Usage: what workspaces were, and the budget. */
export function usagePages(services: Services, limits: Limits): Router {
  const { keys, usage, budgets, now } = services
  const router = new Router({ prefix: "/usage" })

  async function showUsage(
    ctx: PageContext,
    caller: SignedInCaller,
    month: Month,
    more: Pick<UsageModel, "budgetError"> = {},
  ): Promise<void> {
    const { user } = caller
    const [workspaces, use] = await Promise.all([usage.of(user.id, month), budgets.useOf(user.id)])
    const page = usagePage({
      ...{ user, csrf: csrfToken(keys, caller), month, before: monthAfter(month, -1), workspaces },
      after: month < monthOf(now()) ? monthAfter(month) : null,
      total: totalCosts(workspaces),
      budget: use && { ...use.budget, spent: use.spent, part: use.part },
      ...more,
    })
    show(ctx, page, more.budgetError ? 422 : 200)
  }

  router.get("/", async koa => {
    const ctx = koa as unknown as PageContext
    const month = MonthText.safeParse(ctx.query.month)
    await showUsage(ctx, requireLogin(ctx), month.success ? month.data : monthOf(now()))
  })

  router.post("/budget", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const { user } = form.caller
    await limits("change", user.id)
    if (form.text("amount") === "") await budgets.clear(user.id)
    else {
      const wish = BudgetWish.safeParse({ amount: Number(form.text("amount")), action: form.text("action") })
      if (!wish.success) {
        const budgetError = "A budget is an amount from 0.01 to 1,000,000, or empty for none."
        return showUsage(ctx, form.caller, monthOf(now()), { budgetError })
      }
      await budgets.set(user.id, wish.data)
    }
    ctx.redirect("/usage")
    ctx.status = 303
  })
  return router
}
