import { createHash, timingSafeEqual } from "node:crypto"
import type { Context } from "koa"
import type { SignInContext } from "./context.ts"
import { badCode, incorrectClient, type OAuthError, tokenRedirectMismatch } from "./oauth-errors.ts"
import { verifies } from "./pkce.ts"
import { field } from "./request-fields.ts"

interface TokenAnswer {
  access_token: string
  scope: string
  token_type: "bearer"
}

/**
 * `POST /login/oauth/access_token` (docs.github.com, "Authorizing OAuth apps", step 2). As at GitHub a refusal is 200
 * too, and the answer is a query string unless JSON is asked for.
 */
export function giveToken(context: SignInContext, koa: Context): void {
  const answer = exchange(context, koa)
  koa.set("cache-control", "no-store")
  if (koa.accepts("application/x-www-form-urlencoded", "application/json") === "application/json") {
    koa.type = "application/json; charset=utf-8"
    koa.body = JSON.stringify(answer)
  } else {
    koa.type = "application/x-www-form-urlencoded; charset=utf-8"
    koa.body = new URLSearchParams({ ...answer }).toString()
  }
}

/** A code is used up by the first try of the app itself, whatever comes of it: nobody can guess at its verifier. */
function exchange({ app, codes, tokens }: SignInContext, koa: Context): TokenAnswer | OAuthError {
  const secret = field(koa, "client_secret") ?? ""
  if (field(koa, "client_id") !== app.clientId || !sameText(secret, app.clientSecret)) return incorrectClient
  const code = codes.take(field(koa, "code") ?? "")
  if (!code) return badCode
  const callback = field(koa, "redirect_uri")
  if (callback !== null && URL.parse(callback)?.href !== code.callback) return tokenRedirectMismatch
  // What GitHub says of a wrong verifier stands nowhere; "doesn't match the first request" is this error's description.
  if (!verifies(field(koa, "code_verifier"), code.challenge)) return badCode
  const { person, scopes } = code
  return { access_token: tokens.issue({ person, scopes }), scope: scopes.join(","), token_type: "bearer" }
}

function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
