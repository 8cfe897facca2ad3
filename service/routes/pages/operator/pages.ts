import Router from "koa-router"
import { certificateRows } from "../../../certificates/view.ts"
import { notFound, ServiceError } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import { findFleet } from "../../../operators/desk.ts"
import {
  auditPage,
  certificatesPage,
  destroyPage,
  fleetPage,
  operationsPage,
  peoplePage,
} from "../../../pages/index.ts"
import type { Services } from "../../../services.ts"
import { STATES } from "../../../workspaces/transitions.ts"
import { csrfToken, type PageContext, show } from "../forms.ts"
import { driftSummary } from "./drift.ts"
import { requireOperator } from "./guard.ts"
import { rollOutSettings } from "./roll-out.ts"
import { showOperatorWorkspace, showPerson, showUpkeep } from "./show.ts"

/** Workspaces, users and audit entries of a page. */
const [WORKSPACES, USERS, ENTRIES] = [50, 100, 100]
const WEEK_MS = 7 * 24 * 3_600_000
/** Failed operations that are shown. */
const FAILED = 100

/** Pages of operators; what they do there is in actions.ts. */
export function operatorPages(services: Services): Router {
  const { keys, store, people, audit, certificates, overview, rollOuts, config, now } = services
  const router = new Router({ prefix: "/operator" })
  const text = (ctx: PageContext, name: string) =>
    typeof ctx.query[name] === "string" ? String(ctx.query[name]).trim() : ""
  const page = (path: string, answer: (ctx: PageContext, shell: Shell) => Promise<void>) =>
    router.get(path, async koa => {
      const ctx = koa as unknown as PageContext
      const caller = requireOperator(services, ctx)
      await answer(ctx, { user: caller.user, csrf: csrfToken(keys, caller), now: now() })
    })

  page("/", async (ctx, shell) => {
    const search = text(ctx, "search").slice(0, 100)
    const state = STATES.find(one => one === text(ctx, "state"))
    const query = { ...(search ? { search } : {}), ...(state ? { state } : {}) }
    const [all, numbers, drift] = await Promise.all([findFleet(services, query), overview(), driftSummary(services)])
    const last = Math.max(1, Math.ceil(all.length / WORKSPACES))
    const at = Math.min(last, Math.max(1, Math.floor(Number(text(ctx, "page")) || 1)))
    const found = all.slice((at - 1) * WORKSPACES, at * WORKSPACES)
    const rest = { total: all.length, page: at, perPage: WORKSPACES }
    show(ctx, fleetPage({ ...shell, overview: numbers, drift, query, found, ...rest }))
  })

  page("/operations", async (ctx, shell) => {
    const [going, failed] = await Promise.all([store.going(), store.failedSince(now() - WEEK_MS, FAILED)])
    const logins = await people.logins([...going, ...failed].flatMap(one => [one.owner, one.requestedBy]))
    show(ctx, operationsPage({ ...shell, going, failed, logins }))
  })

  page("/workspaces/:id", async (ctx, _shell) => {
    await showOperatorWorkspace(services, ctx, requireOperator(services, ctx), ctx.params.id as string)
  })

  page("/workspaces/:id/destroy", async (ctx, shell) => {
    const workspace = await store.get(ctx.params.id as string)
    if (!workspace) throw notFound("workspace")
    noteForAudit(ctx, { reaches: true, user: workspace.owner })
    const login = (await people.get(workspace.owner))?.login ?? workspace.owner
    show(ctx, destroyPage({ ...shell, workspace, login, keptDays: config.finalSnapshotDays }))
  })

  page("/users", async (ctx, shell) => {
    const search = text(ctx, "search").slice(0, 60)
    const part = search.toLowerCase()
    const found = (await people.all()).filter(one => `${one.id} ${one.login} ${one.name}`.toLowerCase().includes(part))
    show(ctx, peoplePage({ ...shell, people: found.slice(0, USERS), total: found.length, search }))
  })

  page("/users/:id", async (ctx, _shell) => {
    await showPerson(services, ctx, requireOperator(services, ctx), ctx.params.id as string)
  })

  page("/certificates", async (ctx, shell) => {
    const [fleet, authorities] = await Promise.all([findFleet(services, {}), certificates.authorities()])
    show(ctx, certificatesPage({ ...shell, authorities, rows: certificateRows(fleet, now()) }))
  })

  page("/upkeep", async (ctx, _shell) => {
    const caller = requireOperator(services, ctx)
    if (text(ctx, "rollOut") !== "look")
      return showUpkeep(services, ctx, caller, { isDry: text(ctx, "sweep") === "dry" })
    try {
      const settings = rollOutSettings(name => text(ctx, name))
      await showUpkeep(services, ctx, caller, { foreseen: { settings, ...(await rollOuts.plan(settings)) } })
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      await showUpkeep(services, ctx, caller, { notice: { tone: "error", text: error.message } })
    }
  })

  page("/audit", async (ctx, shell) => {
    const [user, workspace, after] = [text(ctx, "user"), text(ctx, "workspace"), text(ctx, "after")]
    const query = { ...(user ? { user } : {}), ...(workspace ? { workspace } : {}) }
    const found = await audit.page(query, ENTRIES, after || undefined)
    const logins = await people.logins(found.entries.flatMap(one => one.user ?? []))
    show(ctx, auditPage({ ...shell, ...found, asked: { user, workspace }, logins }))
  })

  return router
}

interface Shell {
  user: Parameters<typeof fleetPage>[0]["user"]
  csrf: string
  now: number
}
