import { allows, type Scope } from "../api-tokens/api-tokens.ts"
import { isLoopback } from "../config/addresses.ts"
import { forbidden, ServiceError, signedOut } from "../errors.ts"
import type { Services } from "../services.ts"
import type { User } from "../users/users.ts"
import type { Caller, Context } from "./request-state.ts"

/** Name and attributes of the cookie a login lives in. */
export function loginCookie(url: string) {
  const secure = url.startsWith("https:")
  return {
    // With the prefix a browser takes it only from this very host, over TLS. On plain http, which only this machine
    // itself may use, browsers would not take such a cookie.
    name: secure ? "__Host-foozol-login" : "foozol-login",
    options: { httpOnly: true, secure, sameSite: "lax", path: "/", overwrite: true, signed: false } as const,
  }
}

/** Finds out who asks: by a bearer token, else by the login's cookie. Whoever shows a wrong token is refused. */
export function identify({ config, logins, users, apiTokens, operators, now }: Services) {
  const { name } = loginCookie(config.url)
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    ctx.state.caller = ctx.get("authorization") ? await byToken(ctx) : await byCookie(ctx)
    await next()
  }

  async function byToken(ctx: Context): Promise<Caller> {
    const token = /^Bearer (\S+)$/i.exec(ctx.get("authorization"))?.[1]
    const found = token ? await apiTokens.use(token, now()) : null
    const user = found ? await users.get(found.user) : null
    if (found && user) return { user: known(user), login: null, scope: found.scope, token: found }
    throw new ServiceError(
      "invalid-token",
      401,
      "This token is not valid (any more): make a new one on your account page.",
    )
  }

  async function byCookie(ctx: Context): Promise<Caller | null> {
    const id = ctx.cookies.get(name, { signed: false })
    const login = id ? await logins.use(id, now()) : null
    const user = login ? await users.get(login.user) : null
    return login && user ? { user: known(user), login, scope: "operate", token: null } : null
  }

  /** Pages show operators the way to theirs. */
  function known(user: User): User {
    return operators.has(user) ? { ...user, operator: true } : user
  }
}

/** Who asks. @throws ServiceError 401 for strangers, 403 for a token that may not do this */
export function requireCaller(ctx: Context, scope: Scope = "read"): Caller {
  const { caller } = ctx.state
  if (!caller) throw signedOut()
  if (allows(caller.scope, scope)) return caller
  if (scope === "operate") {
    throw forbidden("This token may do nothing with what others have: use one with the scope operate.")
  }
  throw new ServiceError("read-only-token", 403, "This token may only read: use one with the scope write.")
}

/** The caller and their login. @throws ServiceError 401 where there is no login */
export function requireLogin(ctx: Context): Caller & { login: NonNullable<Caller["login"]> } {
  const { caller } = ctx.state
  if (!caller?.login) throw signedOut()
  return { ...caller, login: caller.login }
}

/**
 * Refuses changes that another site's page asked for with the user's cookie. Browsers say where a request comes from;
 * a request that says nothing and carries a cookie is refused too.
 */
export function refuseForeignChanges({ config }: Services) {
  const own = new URL(config.url).origin
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    const changes = !["GET", "HEAD", "OPTIONS"].includes(ctx.method)
    if (changes && ctx.state.caller?.login) {
      const origin = ctx.get("origin")
      const site = ctx.get("sec-fetch-site")
      const isOwn = origin ? sameOrigin(origin, own) : site === "same-origin"
      if (!isOwn) {
        throw new ServiceError(
          "foreign-origin",
          403,
          "This change was asked for by another site's page, so it was refused.",
        )
      }
    }
    await next()
  }
}

/** On this machine itself, `localhost` and `127.0.0.1` are the same place by two names. */
function sameOrigin(given: string, own: string): boolean {
  if (given === own) return true
  return (
    URL.canParse(given) &&
    isLoopback(own) &&
    isLoopback(given) &&
    new URL(given).port === new URL(own).port &&
    ["localhost", "127.0.0.1"].includes(new URL(given).hostname)
  )
}
