import Router from "koa-router"
import { notFound, ServiceError } from "../../errors.ts"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { connectPage, GOALS, type Goal } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { isShown, portAddress } from "../../shares/ports.ts"
import { admits } from "../../workspaces/transitions.ts"
import { CreateWorkspace } from "../../workspaces/wishes.ts"
import { addressOf, type Workspace } from "../../workspaces/workspace.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"

/**
 * `/connect`, the bookmark: leads to the desktop (with `to=terminal`, `to=files` or `to=agents`, to those; with `to=port-3000`, to
 * what listens there), by way of sign-in, creation or
 * waking where that is needed. Only a person's act creates or wakes a machine: a page of another site, or a tab that
 * comes back by itself, gets a button.
 */
export function connectRoutes(services: Services, limits: Limits): Router {
  const { keys, workspaces, store, tokens, traces, idleness, config } = services
  const router = new Router()

  router.get("/connect", async koa => {
    const ctx = koa as unknown as PageContext
    ctx.set("Cache-Control", "no-store")
    const wanted = typeof ctx.query.workspace === "string" ? ctx.query.workspace : null
    if (!ctx.state.caller?.login) {
      const query = new URLSearchParams(wanted ? { workspace: wanted } : {})
      const [goal, port] = [goalOf(ctx.query.to), portOf(ctx.query.to)]
      if (goal !== "desktop") query.set("to", goal)
      if (port !== null) query.set("to", `port-${port}`)
      const back = query.size > 0 ? `/connect?${query}` : "/connect"
      return ctx.redirect(`/login/github?next=${encodeURIComponent(back)}`)
    }
    const caller = requireLogin(ctx)
    const goal = goalOf(ctx.query.to)
    const workspace = await choose(caller, wanted)
    if (await goOn(ctx, caller, workspace, goal, portOf(ctx.query.to))) return
    if (isPersonsAct(ctx)) return begin(ctx, caller, workspace, goal)
    const action = workspace ? "wake" : "create"
    show(ctx, connectPage({ user: caller.user, csrf: csrfToken(keys, caller), workspace, action, goal }))
  })

  router.post("/connect", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const goal = goalOf(form.text("to"))
    const workspace = await choose(form.caller, form.text("workspace") || null)
    if (await goOn(ctx, form.caller, workspace, goal)) return
    await begin(ctx, form.caller, workspace, goal)
  })

  /** The workspace that is meant: the named one, else the one that is on, else the newest. */
  async function choose({ user }: SignedInCaller, wanted: string | null): Promise<Workspace | null> {
    if (wanted !== null) return workspaces.get(user.id, wanted)
    const all = await workspaces.listOf(user.id)
    return all.findLast(one => admits(one.state)) ?? all.at(-1) ?? null
  }

  /**
   * Leads on where nothing has to be begun: to the goal, or to what goes on already.
   * @param port where that is the goal. What listened there has ended when the workspace is off: then it is the desktop
   */
  async function goOn(
    ctx: PageContext,
    caller: SignedInCaller,
    workspace: Workspace | null,
    goal: Goal,
    port: number | null = null,
  ) {
    if (!workspace || workspace.state === "STOPPED") return false
    if (workspace.state === "TERMINATED") throw notFound("workspace")
    if (admits(workspace.state)) {
      await limits("ticket", caller.user.id)
      if (ctx.method === "POST" || isPersonsAct(ctx)) await idleness.visited(workspace.id)
      if (port !== null) {
        const ticket = await tokens.issueTicket(workspace.id, caller.login.hash, port)
        ctx.redirect(`${portAddress(workspace, port, config)}/.foozol/enter?ticket=${ticket}`)
        ctx.status = 303
        return true
      }
      const ticket = await tokens.issueTicket(workspace.id, caller.login.hash)
      await noteWay(ctx, workspace)
      // The machine's NGINX knows where else than to the desktop somebody may want to go.
      const to = goal === "desktop" ? "" : `&to=${goal}`
      ctx.redirect(`${addressOf(workspace, config)}/enter?ticket=${ticket}${to}`)
    } else {
      ctx.redirect(workspace.operation ? progressOf(workspace.operation, goal) : "/")
    }
    ctx.status = 303
    return true
  }

  /** Comes from the page of an operation that has just ended: takes down how long its person has waited by now. */
  async function noteWay(ctx: PageContext, workspace: Workspace): Promise<void> {
    const { after, waited } = ctx.query
    if (typeof after !== "string" || after !== workspace.operation) return
    const operation = await store.operation(after)
    const waitedMs = typeof waited === "string" && /^\d{1,8}$/.test(waited) ? Number(waited) : null
    if (operation) await traces.redirected(operation, workspace, waitedMs)
  }

  async function begin(ctx: PageContext, { user }: SignedInCaller, workspace: Workspace | null, goal: Goal) {
    await limits("create", user.id)
    const operation = workspace
      ? await workspaces.start(user.id, workspace.id).catch(error => {
          if (error instanceof ServiceError && error.id === "sold-out") return null
          throw error
        })
      : (await workspaces.create(user.id, CreateWorkspace.parse({}), null)).operation
    // Its page says where it can be had instead.
    if (operation === null) {
      ctx.redirect(`/workspaces/${workspace?.id}`)
      ctx.status = 303
      return
    }
    const found = await store.operation(operation)
    ctx.redirect(found ? progressOf(operation, goal) : "/")
    ctx.status = 303
  }
  return router
}

/** Where on the machine somebody wants to go: the desktop, unless it is one of the others. */
const goalOf = (wish: unknown): Goal =>
  typeof wish === "string" && Object.hasOwn(GOALS, wish) ? (wish as Goal) : "desktop"

/** The port that is wished for, as `port-3000`; null for another wish. */
function portOf(wish: unknown): number | null {
  const port = Number(/^port-(\d{4,5})$/.exec(String(wish))?.[1])
  return isShown(port) ? port : null
}

/** The page of an operation, which goes on to the goal at its end. */
const progressOf = (operation: string, goal: Goal) => `/operations/${operation}?open=${goal === "desktop" ? "1" : goal}`

/** Did a person open this address here: typed, bookmarked, or clicked on a page of ours? Browsers say so. */
function isPersonsAct(ctx: PageContext): boolean {
  const site = ctx.get("sec-fetch-site")
  return ctx.get("sec-fetch-user") === "?1" && (site === "none" || site === "same-origin")
}
