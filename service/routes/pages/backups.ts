import Router from "koa-router"
import { notFound } from "../../errors.ts"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { backupsPage, removeBackupPage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { namesOf } from "../../workspaces/providers.ts"
import { backupViews } from "./backup-view.ts"
import { csrfToken, type PageContext, readForm, show } from "./forms.ts"

/** All backups of a user, those of deleted workspaces too, and their removal. */
export function backupPages(services: Services, limits: Limits): Router {
  const { keys, backups, workspaces, projects, homeBackups } = services
  const router = new Router({ prefix: "/backups" })

  router.get("/", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const projectsAway: string[] = []
    const [found, living, homes] = await Promise.all([
      backups.ofUser(caller.user.id, one => projectsAway.push(one)),
      workspaces.listOf(caller.user.id),
      homeBackups.records.ofUser(caller.user.id),
    ])
    const left = homes.filter(one => one.keepUntil !== null && one.backups.length > 0)
    const away = namesOf(projectsAway, projects.providerOf)
    const more = { csrf: csrfToken(keys, caller), backups: backupViews(found, living), away, homes: left }
    show(ctx, backupsPage({ user: caller.user, ...more }))
  })

  router.get("/:id/remove", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const living = await workspaces.listOf(caller.user.id)
    const [backup] = backupViews([await backups.require(caller.user.id, koa.params.id as string)], living)
    if (!backup) throw notFound("backup")
    show(ctx, removeBackupPage({ user: caller.user, csrf: csrfToken(keys, caller), backup }))
  })

  router.post("/:id/remove", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const { user } = form.caller
    await limits("change", user.id)
    const { workspace } = await backups.require(user.id, koa.params.id as string)
    await backups.remove(user.id, koa.params.id as string)
    const isLiving = (await workspaces.listOf(user.id)).some(one => one.id === workspace)
    ctx.redirect(isLiving ? `/workspaces/${encodeURIComponent(workspace)}` : "/backups")
    ctx.status = 303
  })
  return router
}
