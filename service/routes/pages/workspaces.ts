import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { deletePage, type NewWorkspaceModel, newWorkspacePage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { CreateWorkspace } from "../../workspaces/workspaces.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"
import { createOptions } from "./views.ts"
import { errorsOf, readWorkspaceForm } from "./workspace-form.ts"

/** Pages and forms of workspaces: new, start, stop, delete. */
export function workspacePages(services: Services, limits: Limits): Router {
  const { keys, workspaces } = services
  const router = new Router({ prefix: "/workspaces" })

  async function showForm(
    ctx: PageContext,
    caller: SignedInCaller,
    more: Pick<NewWorkspaceModel, "values" | "errors">,
  ): Promise<void> {
    const options = await createOptions(services)
    const page = newWorkspacePage({ user: caller.user, csrf: csrfToken(keys, caller), options, ...more })
    show(ctx, page, more.errors ? 422 : 200)
  }

  router.get("/new", async koa => {
    const ctx = koa as unknown as PageContext
    await showForm(ctx, requireLogin(ctx), { values: { sizeClass: CreateWorkspace.parse({}).sizeClass } })
  })

  router.post("/", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const entered = readWorkspaceForm(form)
    if (!("wish" in entered)) return showForm(ctx, form.caller, entered)
    await limits("create", form.caller.user.id)
    try {
      const { operation } = await workspaces.create(form.caller.user.id, entered.wish, null)
      ctx.redirect(`/operations/${operation}?open=1`)
      ctx.status = 303
    } catch (error) {
      const errors = errorsOf(error)
      if (!errors) throw error
      await showForm(ctx, form.caller, { values: entered.values, errors })
    }
  })

  router.get("/:id/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const workspace = await workspaces.get(caller.user.id, koa.params.id as string)
    show(ctx, deletePage({ user: caller.user, csrf: csrfToken(keys, caller), workspace }))
  })

  router.post("/:id/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const { user } = form.caller
    const workspace = await workspaces.get(user.id, koa.params.id as string)
    if (form.text("confirm") !== workspace.name) {
      const error = "This is not the workspace's name."
      return show(ctx, deletePage({ user, csrf: csrfToken(keys, form.caller), workspace, error }), 422)
    }
    await goTo(ctx, workspaces.destroy(user.id, workspace.id))
  })

  for (const kind of ["start", "stop"] as const) {
    router.post(`/:id/${kind}`, async koa => {
      const ctx = koa as unknown as PageContext
      const { caller } = await readForm(services, ctx)
      await limits("change", caller.user.id)
      await goTo(ctx, workspaces[kind](caller.user.id, koa.params.id as string))
    })
  }
  return router
}

/** Leads to the progress of an operation. */
async function goTo(ctx: PageContext, operation: Promise<string>): Promise<void> {
  ctx.redirect(`/operations/${await operation}`)
  ctx.status = 303
}
