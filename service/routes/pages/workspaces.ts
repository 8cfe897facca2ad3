import { randomUUID } from "node:crypto"
import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { deletePage, type NewWorkspaceModel, newWorkspacePage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { repositoryOf } from "../../workspaces/creation.ts"
import { USUAL_CLASS } from "../../workspaces/sizes.ts"
import { HomeSource } from "../../workspaces/wishes.ts"
import type { Provider } from "../../workspaces/workspace.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"
import { createOptions, fitting, homeOf, originOf } from "./views.ts"
import { errorsOf, homeIn, keyIn, readWorkspaceForm, repositoryValues } from "./workspace-form.ts"

/** Pages and forms of workspaces: new and delete; what lies between is in workspace.ts. */
export function workspacePages(services: Services, limits: Limits): Router {
  const { keys, workspaces, config } = services
  const router = new Router({ prefix: "/workspaces" })

  async function showForm(
    ctx: PageContext,
    caller: SignedInCaller,
    more: Pick<NewWorkspaceModel, "values" | "errors" | "isLinked">,
    backup: string,
    source: HomeSource | undefined,
  ): Promise<void> {
    const { user } = caller
    const home = source ? await homeOf(services, user.id, source) : null
    const from = backup === "" ? null : await originOf(services, user.id, backup)
    const all = await createOptions(services, user.id, from?.provider)
    const options = from ? fitting(all, from.diskGb) : all
    const shell = { user, csrf: csrfToken(keys, caller), idempotencyKey: randomUUID() }
    const page = newWorkspacePage({ ...shell, options, from, home, ...more })
    show(ctx, page, more.errors ? 422 : 200)
  }

  router.get("/new", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const text = (name: string) => (typeof ctx.query[name] === "string" ? ctx.query[name].trim() : "")
    const [provider, region] = [text("provider"), text("region")]
    const { providers } = await services.sizes.offerTo(caller.user.id)
    const isTheirs = (one: string): one is Provider => providers.some(offered => offered === one)
    const first = isTheirs(provider) ? provider : (providers[0] ?? (config.offered[0] as Provider))
    const values = { sizeClass: USUAL_CLASS[first], provider, region }
    const filled = text("repo") === "" || text("from") !== "" ? { values } : fromLink(values, text)
    const source = HomeSource.safeParse({ workspace: text("home"), backup: text("homeBackup") || undefined })
    await showForm(ctx, caller, filled, text("from"), source.data)
  })

  /** The form as a link has filled it in; nothing is made before its button is pressed. */
  function fromLink(values: NonNullable<NewWorkspaceModel["values"]>, text: (name: string) => string) {
    const url = text("repo")
    const given = { branch: text("branch"), folder: text("folder"), devcontainer: text("devcontainer") }
    const filled = { ...values, ...repositoryValues(name => ({ ...given, repository: url })[name]) }
    try {
      repositoryOf({ repository: { url, ...given } }, config.repositoryHosts)
      return { values: filled, isLinked: true }
    } catch (error) {
      const errors = errorsOf(error)
      if (!errors) throw error
      return { values: filled, errors }
    }
  }

  router.post("/", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const entered = readWorkspaceForm(form)
    const backup = form.text("from")
    const source = HomeSource.safeParse(homeIn(form)).data
    if (!("wish" in entered)) return showForm(ctx, form.caller, entered, backup, source)
    await limits("create", form.caller.user.id)
    try {
      // A second tab is a form of its own: while the first one's workspace is being made, that one is meant.
      const { operation } = await workspaces.create(form.caller.user.id, entered.wish, keyIn(form), { orAlike: true })
      ctx.redirect(`/operations/${operation}?open=1`)
      ctx.status = 303
    } catch (error) {
      const errors = errorsOf(error)
      if (!errors) throw error
      await showForm(ctx, form.caller, { values: entered.values, errors }, backup, source)
    }
  })

  router.get("/:id/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const workspace = await workspaces.get(caller.user.id, koa.params.id as string)
    show(
      ctx,
      deletePage({ user: caller.user, csrf: csrfToken(keys, caller), workspace, keptDays: config.finalSnapshotDays }),
    )
  })

  router.post("/:id/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const { user } = form.caller
    const workspace = await workspaces.get(user.id, koa.params.id as string)
    if (form.text("confirm") !== workspace.name) {
      const error = "This is not the workspace's name."
      return show(
        ctx,
        deletePage({ user, csrf: csrfToken(keys, form.caller), workspace, keptDays: config.finalSnapshotDays, error }),
        422,
      )
    }
    await goTo(ctx, workspaces.destroy(user.id, workspace.id))
  })

  return router
}

/** Leads to the progress of an operation. */
export async function goTo(ctx: PageContext, operation: Promise<string>): Promise<void> {
  ctx.redirect(`/operations/${await operation}`)
  ctx.status = 303
}
