import Router from "koa-router"
import { notFound } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import type { Limits } from "../../../middleware/limits.ts"
import { DRAIN_TARGET } from "../../../operations/drain.ts"
import { actOn } from "../../../operators/desk.ts"
import { ACTIONS } from "../../../operators/plan.ts"
import { destroyPage } from "../../../pages/index.ts"
import type { Services } from "../../../services.ts"
import { refuseOperators } from "../../api/operator/people.ts"
import { csrfToken, type Form, type PageContext, show } from "../forms.ts"
import { operatorForms } from "./form.ts"
import { rollOutSettings } from "./roll-out.ts"
import { showOperatorWorkspace, showPerson, showUpkeep } from "./show.ts"

/** What operators do on their pages. */
export function operatorActions(services: Services, limits: Limits): Router {
  const { keys, store, people, suspensions, drains, images, rollOuts, sweeps, config, now } = services
  const router = new Router({ prefix: "/operator" })

  const form = operatorForms(router, services, limits)

  const idOf = (ctx: PageContext) => ctx.params.id as string
  const onWorkspace = (ctx: PageContext, sent: Form, text: string) =>
    showOperatorWorkspace(services, ctx, sent.caller, idOf(ctx), { notice: { tone: "error", text } })
  const onUpkeep = (ctx: PageContext, sent: Form, text: string) =>
    showUpkeep(services, ctx, sent.caller, { notice: { tone: "error", text } })

  for (const action of ACTIONS) {
    const name = `operator${action[0]?.toUpperCase()}${action.slice(1)}Workspace`
    form(
      `/workspaces/:id/${action}`,
      name,
      async (ctx, sent) => {
        const workspace = await store.get(idOf(ctx))
        if (!workspace) throw notFound("workspace")
        const { id, owner } = workspace
        noteForAudit(ctx, { user: owner })
        if (action === "destroy" && sent.text("confirm") !== id) {
          const login = (await people.get(owner))?.login ?? owner
          const more = {
            workspace,
            login,
            keptDays: config.finalSnapshotDays,
            error: "This is not the workspace's id.",
          }
          show(ctx, destroyPage({ user: sent.caller.user, csrf: csrfToken(keys, sent.caller), ...more }), 422)
          return undefined
        }
        const by = { requestedBy: sent.caller.user.id, request: ctx.state.requestId }
        noteForAudit(ctx, { operation: await actOn(services, by, id, action) })
        return `/operator/workspaces/${id}`
      },
      onWorkspace,
    )
  }

  const onPerson = (ctx: PageContext, sent: Form, text: string) =>
    showPerson(services, ctx, sent.caller, idOf(ctx), text)
  form(
    "/users/:id/suspend",
    "suspendUser",
    async (ctx, sent) => {
      const person = await people.get(idOf(ctx))
      if (!person) throw notFound("user")
      const input = { why: sent.text("why").slice(0, 200), keepRunning: sent.text("keepRunning") === "true" }
      noteForAudit(ctx, { user: person.id, input })
      refuseOperators(services, person)
      // GitHub's login names know no capitals.
      if (sent.text("confirm").toLowerCase() !== person.login.toLowerCase()) {
        await showPerson(services, ctx, sent.caller, person.id, "This is not their login name.")
        return undefined
      }
      await suspensions.suspend(person.id, { at: now(), by: sent.caller.user.id, ...input })
      return `/operator/users/${person.id}`
    },
    onPerson,
  )
  form(
    "/users/:id/resume",
    "resumeUser",
    async ctx => {
      noteForAudit(ctx, { user: idOf(ctx) })
      await suspensions.resume(idOf(ctx))
      return `/operator/users/${idOf(ctx)}`
    },
    onPerson,
  )

  const upkeep = (path: string, action: string, act: (ctx: PageContext, sent: Form) => Promise<unknown>) =>
    form(path, action, async (ctx, sent) => act(ctx, sent).then(() => "/operator/upkeep"), onUpkeep)

  upkeep("/roll-out", "beginRollOut", async (ctx, sent) => {
    const wish = rollOutSettings(sent.text)
    noteForAudit(ctx, { input: { ...wish } })
    await rollOuts.begin(wish, sent.caller.user.login)
  })
  upkeep("/roll-out/stop", "stopRollOut", (_, sent) => rollOuts.stop(sent.caller.user.login))
  upkeep("/sweep", "sweep", () => sweeps.now())
  for (const name of ["promote", "demote"] as const) {
    upkeep(`/images/:id/${name}`, `${name}Image`, async ctx => {
      noteForAudit(ctx, { input: { id: idOf(ctx) } })
      await images[name](idOf(ctx))
    })
  }
  const targetOf = (ctx: PageContext, sent: Form) => {
    const target = sent.text("target")
    if (!DRAIN_TARGET.test(target)) throw notFound("worker")
    noteForAudit(ctx, { input: { target } })
    return target
  }
  upkeep("/drain", "drain", (ctx, sent) =>
    drains.begin({ target: targetOf(ctx, sent), by: sent.caller.user.login, why: "", at: now() }),
  )
  upkeep("/undrain", "undrain", (ctx, sent) => drains.end(targetOf(ctx, sent)))
  return router
}
