import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import { cancelOperation, operationOf } from "../../operations/operations.ts"
import { operationPage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { addressOf } from "../../workspaces/workspace.ts"
import { csrfToken, type PageContext, readForm, show } from "./forms.ts"
import { otherPlaces } from "./workspace-view.ts"

/** The page that shows how an operation goes, and its buttons. */
export function operationPages(services: Services): Router {
  const { keys, workspaces, events, traces, config } = services
  const router = new Router({ prefix: "/operations" })

  router.get("/:id", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const operation = await operationOf(services, caller.user.id, koa.params.id as string)
    const [workspace, past, spans] = await Promise.all([
      workspaces.get(caller.user.id, operation.workspace),
      events.read(operation.id, null),
      traces.spansOf(operation.id),
    ])
    const isSoldOut = operation.failure?.id === "sold-out" && workspace.state === "STOPPED"
    // What has just been refused is not offered again, whatever was known of it a minute ago.
    const refused = operation.wish?.place ?? workspace
    const places = isSoldOut ? await otherPlaces(services, workspace, refused).catch(() => []) : []
    show(
      ctx,
      operationPage({
        user: caller.user,
        csrf: csrfToken(keys, caller),
        operation,
        workspace,
        events: past.map(one => one.event),
        spans,
        address: addressOf(workspace, config),
        places,
      }),
    )
  })

  router.post("/:id/cancel", async koa => {
    const ctx = koa as unknown as PageContext
    const { caller } = await readForm(services, ctx)
    const id = koa.params.id as string
    await cancelOperation(services, caller.user.id, id)
    ctx.redirect(`/operations/${encodeURIComponent(id)}`)
    ctx.status = 303
  })

  router.post("/:id/retry", async koa => {
    const ctx = koa as unknown as PageContext
    const { caller } = await readForm(services, ctx)
    const { workspace } = await operationOf(services, caller.user.id, koa.params.id as string)
    ctx.redirect(`/operations/${await workspaces.retry(caller.user.id, workspace)}?open=1`)
    ctx.status = 303
  })
  return router
}
