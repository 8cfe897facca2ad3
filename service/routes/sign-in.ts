import grant, { type GrantResponse } from "grant"
import type { Context as KoaContext, Middleware } from "koa"
import Router from "koa-router"
import { ServiceError } from "../errors.ts"
import { hashOf } from "../keys.ts"
import { endLogin } from "../logins/end-login.ts"
import { GithubProfile, githubUrls, organisationsOf, PATIENCE_MS, requireAllowed, scopesFor } from "../logins/github.ts"
import { returnPath } from "../logins/return-path.ts"
import { createSignInStore, SIGN_IN_S } from "../logins/sign-in-store.ts"
import { noteForAudit } from "../middleware/audited.ts"
import { loginCookie } from "../middleware/caller.ts"
import type { Limits } from "../middleware/limits.ts"
import type { Context } from "../middleware/request-state.ts"
import type { Services } from "../services.ts"
import type { User } from "../users/users.ts"

const CALLBACK = "/login/github/callback"

/**
 * Sign-in by GitHub: `/login/github` leads there, grant does the exchange (state, PKCE, no scope beyond who
 * somebody is), and the callback begins a login with a new id. No token of GitHub's is kept.
 */
export function signInRoutes(services: Services, limits: Limits): Router {
  const { config, logins, users, now, log } = services
  const store = createSignInStore(services.redis)
  const cookie = loginCookie(config.url)
  const stateCookie = cookie.options.secure ? "__Host-foozol-sign-in" : "foozol-sign-in"
  const withGrant = grantFor(config)
  const router = new Router()

  async function enter(ctx: Context & KoaContext, profile: GithubProfile, organisations: string[]): Promise<User> {
    const user = await users.signIn(
      {
        id: `gh-${profile.id}`,
        login: profile.login,
        name: profile.name || profile.login,
        avatarUrl: profile.avatar_url ?? null,
        organisations,
      },
      now(),
    )
    // Whoever signs in anew is done with the login this browser had; and an id that was planted is worth nothing.
    const before = ctx.cookies.get(cookie.name, { signed: false })
    if (before) await endLogin(services, { hash: hashOf(before), user: ctx.state.caller?.user.id ?? user.id })
    const id = await logins.begin(user.id, ctx.get("user-agent"), now())
    ctx.cookies.set(cookie.name, id, { ...cookie.options, maxAge: config.login.maxMs })
    return user
  }

  router.get("/login/github", async koa => {
    const ctx = koa as unknown as Context & KoaContext
    await limits("sign-in", ctx.ip)
    const session: { grant?: Record<string, unknown> } = {}
    ctx.session = session as never
    const wanted = returnPath(ctx.query.next)
    await withGrant(koa as unknown as Parameters<Middleware>[0], async () => {})
    const id = store.newId()
    await store.save(id, { ...(session.grant ? { grant: session.grant } : {}), next: wanted })
    ctx.cookies.set(stateCookie, id, { ...cookie.options, maxAge: SIGN_IN_S * 1000 })
    ctx.set("Cache-Control", "no-store")
  })

  router.get(CALLBACK, async koa => {
    const ctx = koa as unknown as Context & KoaContext
    await limits("sign-in", ctx.ip)
    ctx.set("Cache-Control", "no-store")
    const id = ctx.cookies.get(stateCookie, { signed: false })
    const begun = id ? await store.take(id) : null
    ctx.cookies.set(stateCookie, null, { ...cookie.options, maxAge: 0 })
    const { state, code, error } = ctx.query
    // grant takes a callback without a code for the answer of the token endpoint, and then asks for no state.
    const expected = begun?.grant?.state
    if (!begun || typeof expected !== "string" || state !== expected || typeof (error ?? code) !== "string") {
      return ctx.redirect("/?sign-in=not-begun-here")
    }
    if (error) return ctx.redirect(`/?sign-in=${error === "access_denied" ? "denied" : "failed"}`)
    ctx.session = { grant: begun.grant } as never
    await withGrant(koa as unknown as Parameters<Middleware>[0], async () => {})
    const { response } = (ctx.state as unknown as { grant: { response: GrantResponse } }).grant
    const profile = GithubProfile.safeParse(response.profile)
    if (response.error || !response.access_token || !profile.success) {
      log.warn({ reason: describe(response.error) }, "a sign-in failed at GitHub")
      return ctx.redirect("/?sign-in=failed")
    }
    try {
      await requireAllowed(config, profile.data, response.access_token)
      const user = await enter(ctx, profile.data, await organisationsOf(config, response.access_token))
      noteForAudit(ctx, { action: "signIn", who: user })
      log.info({ user: user.id }, "signed in")
    } catch (refused) {
      if (!(refused instanceof ServiceError)) throw refused
      log.info({ reason: refused.id, github: profile.data.login }, "sign-in refused")
      return ctx.redirect(`/?sign-in=${refused.id}`)
    }
    ctx.redirect(begun.next)
  })
  return router
}

/** Its types describe an ES module, which it is not: what it exports is the function itself. */
const createGrant = grant as unknown as typeof grant.default

function grantFor({ url, github, allow, offers }: Services["config"]): Middleware {
  const urls = githubUrls(github.url)
  const config = {
    defaults: { origin: url, prefix: "/login", transport: "state", state: true, pkce: true, dynamic: [] },
    github: {
      key: github.clientId,
      secret: github.clientSecret,
      scope: scopesFor({ allow, offers }),
      authorize_url: urls.authorize,
      access_url: urls.access,
      profile_url: urls.profile,
      response: ["tokens", "profile"],
    },
  } as const
  return createGrant.koa()({ config, request: { timeout: PATIENCE_MS } } as never) as unknown as Middleware
}

/** What went wrong in a word or two: the whole answer may hold what is secret. */
const describe = (error: unknown): string =>
  typeof error === "string" ? error.slice(0, 100) : ((error as { error?: string })?.error ?? "no profile")
