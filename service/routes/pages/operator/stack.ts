import Router from "koa-router"
import { recoveryLines } from "../../../../infra/recovery-text.ts"
import { notFound, ServiceError } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import type { Limits } from "../../../middleware/limits.ts"
import { requireQuiet } from "../../../operators/desk.ts"
import { foreseeRecovery, holdersOf, recoverStack, unlockStack } from "../../../operators/stack-by-hand.ts"
import { type StackModel, stackPage } from "../../../pages/index.ts"
import type { Services } from "../../../services.ts"
import { csrfToken, type Form, type PageContext, type SignedInCaller, show } from "../forms.ts"
import { operatorForms } from "./form.ts"
import { requireOperator } from "./guard.ts"

/** A workspace's stack: what recovering and unlocking it would do, and doing it. */
export function operatorStack(services: Services, limits: Limits): Router {
  const router = new Router({ prefix: "/operator" })
  const form = operatorForms(router, services, limits)
  const idOf = (ctx: PageContext) => ctx.params.id as string
  const say = (ctx: PageContext, { caller }: Form, text: string) =>
    showStack(services, ctx, caller, idOf(ctx), { notice: { tone: "error", text } })

  router.get("/workspaces/:id/stack", async koa => {
    const ctx = koa as unknown as PageContext
    await showStack(services, ctx, requireOperator(services, ctx), idOf(ctx))
  })

  form(
    "/workspaces/:id/stack/recover",
    "operatorRecoverStack",
    async (ctx, sent) => {
      noteForAudit(ctx, { user: (await ownedOrGone(services, idOf(ctx))).owner })
      const { recovery } = await recoverStack(services, idOf(ctx))
      const text = recoveryLines(recovery).join(" ")
      await showStack(services, ctx, sent.caller, idOf(ctx), { notice: { tone: "ok", text } })
      return undefined
    },
    say,
  )

  form(
    "/workspaces/:id/stack/unlock",
    "operatorUnlockStack",
    async (ctx, sent) => {
      const { id, owner } = await ownedOrGone(services, idOf(ctx))
      const force = sent.text("force") === "true"
      noteForAudit(ctx, { user: owner, input: { force } })
      if (force && sent.text("confirm") !== id) {
        await showStack(services, ctx, sent.caller, id, { error: "This is not the workspace's id." })
        return undefined
      }
      await unlockStack(services, id, force)
      return `/operator/workspaces/${id}/stack#lock`
    },
    say,
  )
  return router
}

async function ownedOrGone({ store }: Services, id: string) {
  const workspace = await store.get(id)
  if (!workspace) throw notFound("workspace")
  return workspace
}

async function showStack(
  services: Services,
  ctx: PageContext,
  caller: SignedInCaller,
  id: string,
  said: Pick<StackModel, "notice" | "error"> = {},
): Promise<void> {
  const { keys, now } = services
  const workspace = await ownedOrGone(services, id)
  noteForAudit(ctx, { reaches: true, user: workspace.owner })
  const busy = await requireQuiet(services, id).then(() => null, wordsOf)
  const [holders, recovery] = await Promise.all([
    holdersOf(services, id),
    busy === null ? foreseen(services, id) : null,
  ])
  const shell = { user: caller.user, csrf: csrfToken(keys, caller), now: now() }
  const status = said.error !== undefined ? 422 : said.notice?.tone === "error" ? 409 : 200
  show(ctx, stackPage({ ...shell, workspace, holders, busy, recovery, ...said }), status)
}

const foreseen = (services: Services, id: string) =>
  foreseeRecovery(services, id).then(
    found => ({ lines: recoveryLines(found.recovery, true) }),
    error => ({ problem: (error as Error).message }),
  )

/** Why nothing can be done by hand. */
function wordsOf(error: unknown): string {
  if (error instanceof ServiceError && error.id === "busy") return error.message
  throw error
}
