import Router from "koa-router"
import { assets, dashboardPage, landingPage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { csrfToken, type PageContext, type SignedInCaller, show } from "./forms.ts"
import { workspaceView } from "./views.ts"

/** What is said to somebody whose sign-in did not end in one. */
const SIGN_IN_ERRORS: Record<string, { title: string; message: string }> = {
  denied: { title: "You were not signed in", message: "You cancelled at GitHub. Sign in again whenever you like." },
  failed: { title: "Signing in failed", message: "GitHub did not tell who you are. Try again." },
  "not-begun-here": {
    title: "Signing in failed",
    message: "This sign-in was not begun in this browser, or took too long. Try again, with cookies allowed.",
  },
  "not-allowed": {
    title: "You may not use this service",
    message: "Your GitHub account is not among those that are let in: ask the operator.",
  },
  "sign-up-closed": {
    title: "Sign-up is closed",
    message: "There are as many users here as there may be: ask the operator to let you in.",
  },
  "account-ending": {
    title: "Your account is being deleted",
    message: "That takes a few minutes, since workspaces are deleted first. Sign in again after that to begin anew.",
  },
  "account-suspended": {
    title: "Your account is suspended",
    message: "You cannot sign in until the operator lets you again. Your files are kept; ask the operator why.",
  },
  "github-away": { title: "GitHub does not answer", message: "Try again in a few minutes." },
}

/** `/`: the landing page for strangers, their workspaces for users; and what pages load. */
export function homePages(services: Services): Router {
  const { keys, workspaces, config } = services
  const router = new Router()

  router.get("/", async koa => {
    const ctx = koa as unknown as PageContext
    if (ctx.state.caller?.login) return showDashboard(ctx, ctx.state.caller as SignedInCaller)
    const error = SIGN_IN_ERRORS[String(ctx.query["sign-in"])]
    const said = { signedOut: ctx.query["signed-out"] === "1", accountEnds: ctx.query["account-ends"] === "1" }
    show(ctx, landingPage({ signInUrl: "/login/github", ...said, ...(error ? { error } : {}) }), error ? 403 : 200)
  })

  async function showDashboard(ctx: PageContext, caller: SignedInCaller): Promise<void> {
    const all = await workspaces.listOf(caller.user.id)
    const views = await Promise.all(all.map(one => workspaceView(services, one)))
    const quota = { ...config.quota, used: all.length }
    show(ctx, dashboardPage({ user: caller.user, csrf: csrfToken(keys, caller), workspaces: views, quota }))
  }

  // The short form of a link that fills in the form for a new workspace.
  router.get("/new", ctx => ctx.redirect(`/workspaces/new${ctx.search}`))

  router.get("/assets/:file", async ctx => {
    const asset = assets().get(ctx.path)
    if (!asset) return
    ctx.type = asset.type
    ctx.set("Cache-Control", "public, max-age=31536000, immutable")
    ctx.body = asset.body
  })
  router.get("/favicon.ico", ctx => {
    const icon = [...assets().keys()].find(path => path.includes("/mark."))
    if (icon) ctx.redirect(icon)
  })
  return router
}
