import type { RequestListener } from "node:http"
import Koa, { type Middleware } from "koa"
import type Router from "koa-router"
import { ServiceError } from "./errors.ts"
import type { Metrics } from "./metrics.ts"
import { audited } from "./middleware/audited.ts"
import { identify, refuseForeignChanges } from "./middleware/caller.ts"
import { createLimits } from "./middleware/limits.ts"
import { machineDoor } from "./middleware/machine-door.ts"
import { oneName } from "./middleware/one-name.ts"
import type { Context } from "./middleware/request-state.ts"
import { type Problem, requests } from "./middleware/requests.ts"
import { securityHeaders } from "./middleware/security-headers.ts"
import { apiDocsPage, errorPage } from "./pages/index.ts"
import { accountRoutes } from "./routes/api/account.ts"
import { auditRoutes } from "./routes/api/audit.ts"
import { backupRoutes } from "./routes/api/backups.ts"
import { catalogRoutes } from "./routes/api/catalog.ts"
import { conversationRoutes } from "./routes/api/conversations.ts"
import { devContainerRoutes } from "./routes/api/dev-container.ts"
import { apiDocument } from "./routes/api/document.ts"
import { driftRoutes } from "./routes/api/drift.ts"
import { homeBackupRoutes } from "./routes/api/home-backups.ts"
import { mountApi } from "./routes/api/mount.ts"
import { notificationRoutes } from "./routes/api/notifications.ts"
import { operationRoutes } from "./routes/api/operations.ts"
import { operatorCertificateRoutes } from "./routes/api/operator/certificates.ts"
import { operatorFleetRoutes } from "./routes/api/operator/fleet.ts"
import { operatorPeopleRoutes } from "./routes/api/operator/people.ts"
import { operatorSpareRoutes } from "./routes/api/operator/spares.ts"
import { operatorUpkeepRoutes } from "./routes/api/operator/upkeep.ts"
import { portRoutes } from "./routes/api/ports.ts"
import { rollOutRoutes } from "./routes/api/roll-outs.ts"
import { secretRoutes } from "./routes/api/secrets.ts"
import { usageRoutes } from "./routes/api/usage.ts"
import { workspaceRoutes } from "./routes/api/workspaces.ts"
import { type Fault, healthRoutes } from "./routes/health.ts"
import { machineRoutes } from "./routes/machine.ts"
import { accountPages } from "./routes/pages/account.ts"
import { backupPages } from "./routes/pages/backups.ts"
import { connectRoutes } from "./routes/pages/connect.ts"
import { type PageContext, show } from "./routes/pages/forms.ts"
import { homePages } from "./routes/pages/home.ts"
import { notificationPages } from "./routes/pages/notifications.ts"
import { operationPages } from "./routes/pages/operations.ts"
import { operatorActions } from "./routes/pages/operator/actions.ts"
import { driftActions } from "./routes/pages/operator/drift-actions.ts"
import { operatorPages } from "./routes/pages/operator/pages.ts"
import { operatorStack } from "./routes/pages/operator/stack.ts"
import { usagePages } from "./routes/pages/usage.ts"
import { oneWorkspacePages } from "./routes/pages/workspace.ts"
import { workspacePages } from "./routes/pages/workspaces.ts"
import { signInRoutes } from "./routes/sign-in.ts"
import type { Services } from "./services.ts"

/** The web role: all middleware, in the order a request goes through it, after the machines' door. */
export function createApp(services: Services, metrics: Metrics, fault: Fault): RequestListener {
  const { config, log } = services
  const limits = createLimits(services)
  // Of X-Forwarded-For only the last address is the proxy's own word; whoever asks can write the others.
  const app = new Koa({ proxy: config.trustProxy, maxIpsCount: 1 })
  // Errors of sockets that close early; everything else is answered and written down in `requests`.
  app.on("error", error => log.debug({ err: error }, "connection"))
  const use = (middleware: unknown) => app.use(middleware as Middleware)
  const mount = (router: Router) => use(router.routes())

  const door = machineDoor(services, metrics)
  use(requests(log, metrics, showProblem))
  mount(healthRoutes(fault))
  mount(machineRoutes(services))
  use(securityHeaders(config))
  use(oneName(config))
  use(identify(services))
  use(audited(services))
  use(refuseForeignChanges(services))
  mount(signInRoutes(services, limits))

  const api = [
    ...workspaceRoutes(services, limits),
    ...backupRoutes(services, limits),
    ...homeBackupRoutes(services, limits),
    ...operationRoutes(services),
    ...catalogRoutes(services),
    ...accountRoutes(services, limits),
    ...secretRoutes(services, limits),
    ...conversationRoutes(services, limits),
    ...portRoutes(services, limits),
    ...devContainerRoutes(services, limits),
    ...usageRoutes(services, limits),
    ...notificationRoutes(services, limits),
    ...rollOutRoutes(services),
    ...auditRoutes(services),
    ...operatorFleetRoutes(services),
    ...operatorCertificateRoutes(services),
    ...operatorSpareRoutes(services),
    ...operatorPeopleRoutes(services),
    ...operatorUpkeepRoutes(services),
    ...driftRoutes(services),
  ]
  // Made when somebody wants to read it: that takes as long as all else the web role does when it starts.
  let made: object | undefined
  const document = () => (made ??= apiDocument(api, config.url))
  const apiRouter = mountApi(api, services.operators)
  apiRouter.get("/openapi.json", ctx => {
    ctx.body = document()
  })
  apiRouter.get("/docs", ctx => show(ctx as unknown as PageContext, apiDocsPage({ document: document() })))
  mount(apiRouter)

  mount(homePages(services))
  mount(workspacePages(services, limits))
  mount(oneWorkspacePages(services, limits))
  mount(backupPages(services, limits))
  mount(operationPages(services))
  mount(connectRoutes(services, limits))
  mount(accountPages(services, limits))
  mount(usagePages(services, limits))
  mount(notificationPages(services, limits))
  mount(operatorPages(services))
  mount(operatorActions(services, limits))
  mount(driftActions(services, limits))
  mount(operatorStack(services, limits))
  use(answerNothing)
  const handle = app.callback()
  return (request, response) => {
    if (!door(request, response)) void handle(request, response)
  }
}

/** What no route has taken: an address that is none, or one with another method. */
function answerNothing(ctx: Context): void {
  const matched = (ctx.matched ?? []) as { methods: string[] }[]
  if (matched.length === 0) throw new ServiceError("not-found", 404, `There is nothing at ${ctx.path.slice(0, 100)}.`)
  ctx.set("Allow", [...new Set(matched.flatMap(one => one.methods)), "OPTIONS"].join(", "))
  if (ctx.method !== "OPTIONS") {
    throw new ServiceError("method-not-allowed", 405, "This address does not take that method.")
  }
  ctx.status = 204
}

/** An error as a page for people, and as problem+json for programs. */
function showProblem(ctx: Context, problem: Problem): void {
  const { status, id, title, detail, next } = problem
  const { requestId } = ctx.state
  const isPage = !/^\/(api|machine)\//.test(ctx.path) && ctx.accepts("html", "json") === "html"
  if (isPage && status === 401 && ctx.method === "GET") {
    ctx.redirect(`/login/github?next=${encodeURIComponent(`${ctx.path}${ctx.search}`)}`)
    return
  }
  if (isPage) {
    show(ctx as PageContext, errorPage({ status, title, message: detail, id, requestId }), status)
    return
  }
  ctx.status = status
  ctx.set("Cache-Control", "no-store")
  ctx.body = { type: "about:blank", title, status, detail, id, next, requestId }
  ctx.type = "application/problem+json"
}
