import Router from "koa-router"
import { notFound, ServiceError } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import type { Limits } from "../../../middleware/limits.ts"
import { refreshStack } from "../../../operators/stack-by-hand.ts"
import type { Services } from "../../../services.ts"
import type { Form, PageContext } from "../forms.ts"
import { operatorForms } from "./form.ts"
import { showOperatorWorkspace } from "./show.ts"

/** Why something may stay, at most; as the API has it. */
const REASON = 500

/** What operators do about drift on a workspace's page. */
export function driftActions(services: Services, limits: Limits): Router {
  const { store, drift } = services
  const router = new Router({ prefix: "/operator" })
  const form = operatorForms(router, services, limits)

  const onWorkspace = (
    path: string,
    action: string,
    act: (id: string, sent: Form, ctx: PageContext) => Promise<unknown>,
  ) => {
    const idOf = (ctx: PageContext) => ctx.params.id as string
    form(
      `/workspaces/:id/drift/${path}`,
      action,
      async (ctx, sent) => {
        const workspace = await store.get(idOf(ctx))
        if (!workspace) throw notFound("workspace")
        noteForAudit(ctx, { user: workspace.owner })
        await act(workspace.id, sent, ctx)
        return `/operator/workspaces/${workspace.id}#drift`
      },
      (ctx, { caller }, text) =>
        showOperatorWorkspace(services, ctx, caller, idOf(ctx), { notice: { tone: "error", text } }),
    )
  }
  const byOf = ({ caller: { user } }: Form, ctx: PageContext) => ({
    ...{ login: user.login, requestedBy: user.id, request: ctx.state.requestId },
  })

  onWorkspace("look", "lookForDrift", id => drift.lookNow(id))
  onWorkspace("refresh", "operatorRefreshStack", id => refreshStack(services, id))
  onWorkspace("repair", "repairWorkspace", async (id, sent, ctx) =>
    noteForAudit(ctx, { operation: await drift.repair(byOf(sent, ctx), id) }),
  )
  onWorkspace("accept", "acceptDrift", async (id, sent, ctx) => {
    const [difference, reason] = [sent.text("difference"), sent.text("reason").trim().slice(0, REASON)]
    noteForAudit(ctx, { input: { difference, reason } })
    if (reason === "") throw new ServiceError("no-reason", 409, "Say why it shall stay: others will ask.")
    const { operation } = await drift.accept(byOf(sent, ctx), id, difference, reason)
    noteForAudit(ctx, { operation })
  })
  onWorkspace("unaccept", "unacceptDrift", async (id, sent, ctx) => {
    const difference = sent.text("difference")
    noteForAudit(ctx, { input: { difference } })
    noteForAudit(ctx, { operation: (await drift.unaccept(byOf(sent, ctx), id, difference)).operation })
  })
  return router
}
