import { randomBytes } from "node:crypto"
import type { Context, Middleware } from "koa"
import Router from "koa-router"
import type { SignInContext } from "./context.ts"
import { presentEmails, presentMembership, presentOrganization, presentUser } from "./present.ts"
import { originOf } from "./request-fields.ts"
import { allows } from "./scopes.ts"
import type { Granted } from "./tokens.ts"

const DOCS = "https://docs.github.com"

/**
 * The part of the REST API that says who somebody is, under /api/v3 as at GitHub Enterprise Server. What a token needs
 * for each is from GitHub's API description: the profile nothing, organisations and memberships `read:org` or `user`
 * (403 without), email addresses `user:email` (404 without). As at a new Enterprise Server there is no rate limit.
 */
export function createRest({ tokens, app }: SignInContext): Router {
  const router = new Router({ prefix: "/api/v3" })
  router.use(describe, wantUserAgent, authenticate)
  const get = (path: string, needed: string[], handle: (koa: Context, granted: Granted) => void) =>
    router.get(path, koa => {
      koa.set("x-accepted-oauth-scopes", needed.join(", "))
      handle(koa, koa.state.granted as Granted)
    })

  get("/user", [], (koa, { person, scopes }) => {
    koa.body = presentUser(person, originOf(koa), allows(scopes, ["read:user"]))
  })
  get("/user/orgs", ["admin:org", "read:org", "user"], (koa, { person, scopes }) => {
    if (!allows(scopes, ["read:org", "user"])) {
      const message = "You need at least read:org scope or user scope to list your organizations"
      return refuse(koa, 403, message, "/rest/orgs/orgs#list-organizations-for-the-authenticated-user")
    }
    koa.body = person.organizations.map(login => presentOrganization(login, originOf(koa)))
  })
  get("/user/memberships/orgs/:org", ["admin:org", "read:org", "user"], (koa, { person, scopes }) => {
    const docs = "/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user"
    if (!allows(scopes, ["read:org", "user"])) {
      return refuse(koa, 403, "You need at least read:org scope or user scope to see your memberships", docs)
    }
    const asked = String(koa.params.org).toLowerCase()
    const organization = person.organizations.find(login => login.toLowerCase() === asked)
    if (organization === undefined) return refuse(koa, 404, "Not Found", docs)
    koa.body = presentMembership(person, organization, originOf(koa))
  })
  get("/user/emails", ["user", "user:email"], (koa, { person, scopes }) => {
    if (!allows(scopes, ["user:email"])) {
      return refuse(koa, 404, "Not Found", "/rest/users/emails#list-email-addresses-for-the-authenticated-user")
    }
    koa.body = presentEmails(person)
  })
  router.all("/{*rest}", koa => refuse(koa, 404, "Not Found"))
  return router

  /** 401 as GitHub gives it: one text for a token that is no good, another for none at all. */
  async function authenticate(koa: Context, next: () => Promise<unknown>): Promise<void> {
    const [, token] = /^(?:bearer|token)\s+(\S+)$/i.exec(koa.get("authorization").trim()) ?? []
    const granted = tokens.find(token ?? "")
    if (!granted) {
      return refuse(koa, 401, koa.get("authorization") ? "Bad credentials" : "Requires authentication")
    }
    koa.state.granted = granted
    koa.set({ "x-oauth-scopes": granted.scopes.join(", "), "x-oauth-client-id": app.clientId })
    await next()
  }
}

const describe: Middleware = (koa, next) => {
  const id = randomBytes(16).toString("hex").toUpperCase()
  koa.set({
    "x-github-media-type": "github.v3; format=json",
    "x-github-request-id": [id.slice(0, 4), id.slice(4, 8), id.slice(8, 15), id.slice(15, 22), id.slice(24)].join(":"),
    "x-github-api-version-selected": "2022-11-28",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
  })
  return next()
}

/** "Requests with no User-Agent header will be rejected": docs.github.com, "Getting started with the REST API". */
const wantUserAgent: Middleware = (koa, next) => {
  if (koa.get("user-agent")) return next()
  koa.status = 403
  koa.type = "text"
  koa.body = `Request forbidden by administrative rules. Please make sure your request has a User-Agent header (${DOCS}/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent). Check ${DOCS} for other possible causes.\n`
}

function refuse(koa: Context, status: number, message: string, docs = "/rest"): void {
  koa.status = status
  koa.body = { message, documentation_url: `${DOCS}${docs}`, status: String(status) }
}
