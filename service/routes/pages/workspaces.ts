import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { deletePage, KEEP_HOURS, type NewWorkspaceModel, newWorkspacePage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { type ChangeWorkspace, CreateWorkspace } from "../../workspaces/workspaces.ts"
import { csrfToken, type Form, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"
import { createOptions } from "./views.ts"
import { errorsOf, readWorkspaceForm } from "./workspace-form.ts"

/** Pages and forms of workspaces: new, start, stop, delete. */
export function workspacePages(services: Services, limits: Limits): Router {
  const { keys, workspaces, idleness, now } = services
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

  /** Changes what a form on a card says, and shows the card as it is then. */
  const changing = (path: string, read: (form: Form) => ChangeWorkspace) =>
    router.post(`/:id/${path}`, async koa => {
      const ctx = koa as unknown as PageContext
      const form = await readForm(services, ctx)
      await limits("change", form.caller.user.id)
      const { id } = await workspaces.change(form.caller.user.id, koa.params.id as string, read(form))
      // A click on it is a visit: a stop that was planned is called off at once.
      await idleness.visited(id)
      ctx.redirect("/")
      ctx.status = 303
    })
  changing("keep-on", form => {
    const hours = KEEP_HOURS.find(one => String(one) === form.text("hours"))
    return { keepOnUntil: hours === undefined ? null : new Date(now() + hours * 3_600_000).toISOString() }
  })
  changing("auto-stop", form => ({ autoStop: form.text("on") === "true" }))

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
