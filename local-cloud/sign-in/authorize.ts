import { authorizePage } from "./authorize-page.ts"
import { fittingCallback, withParameters } from "./callback-url.ts"
import type { SignInContext } from "./context.ts"
import { accessDenied, invalidChallenge, invalidScope, type OAuthError, redirectMismatch } from "./oauth-errors.ts"
import { escapeHtml, type Page } from "./page.ts"
import { isName, type Person } from "./people.ts"
import { readChallenge } from "./pkce.ts"
import { readScopes } from "./scopes.ts"

/** An authorization request that was found good and waits for a person. */
export interface AskedAuthorization {
  callback: URL
  state: string | null
  scopes: string[]
  challenge: string | null
}

/** A page, or where the browser goes. */
export type Reply = Page | { location: string }

/**
 * `GET /login/oauth/authorize` (docs.github.com, "Authorizing OAuth apps", step 1): asks the person, every time anew.
 * So `prompt` changes nothing, and neither does `allow_signup`: whoever comes is known from then on. `login` preselects.
 */
export function askWho(context: SignInContext, query: URLSearchParams): Reply {
  if (query.get("client_id") !== context.app.clientId) return NO_SUCH_APP
  const given = query.get("redirect_uri")
  const callback = given === null ? context.callbackUrl : fittingCallback(given, context.callbackUrl)
  const state = query.get("state")
  if (!callback) return refuseCallback(context, given ?? "", state)
  const refuse = (error: OAuthError) => ({ location: withParameters(callback, { ...error, state }) })
  const { scopes, unknown } = readScopes(query.get("scope") ?? "")
  if (unknown.length > 0) return refuse(invalidScope(unknown))
  const challenge = readChallenge(query.get("code_challenge"), query.get("code_challenge_method"))
  if (challenge === "wrong") return refuse(invalidChallenge)
  const request = context.requests.put({ callback, state, scopes, challenge })
  const people = context.people.list()
  const login = query.get("login") ?? ""
  return authorizePage({ request, callback, scopes, people, login, organizations: "", fault: null })
}

/**
 * `POST /login/oauth/authorize`: the person's answer. The request's key, which only our page knows, stands against forms
 * of other sites. It stays good for a while, so that a second click on the button does no harm.
 * @param field what a field of the form holds
 */
export function takeAnswer(context: SignInContext, field: (name: string) => string | null): Reply {
  const request = field("request") ?? ""
  const asked = context.requests.look(request)
  if (!asked) return TOO_OLD
  const { callback, state, scopes, challenge } = asked
  if (field("decision") === "cancel") return { location: withParameters(callback, { ...accessDenied, state }) }
  const login = field("login")?.trim() ?? ""
  const organizations = field("organizations")
  const person = readPerson(context, login, organizations)
  if (typeof person === "string") {
    const people = context.people.list()
    const typed = { login, organizations: organizations ?? "", fault: person }
    return authorizePage({ request, callback, scopes, people, ...typed })
  }
  context.people.remember(person)
  context.log.info({ login: person.login, app: callback.host }, "signed in by the stand-in for GitHub")
  const code = context.codes.put({ callback: callback.href, scopes, challenge, person })
  return { location: withParameters(callback, { code, state }) }
}

/** Somebody on the list as they are there, or with the organisations that were typed; or why it cannot be anybody. */
function readPerson({ people }: SignInContext, login: string, typed: string | null): Person | string {
  const names = [...new Set((typed ?? "").split(/[\s,]+/).filter(Boolean))]
  const wrong = [login, ...names].find(name => !isName(name))
  if (wrong !== undefined) {
    return `"${wrong}" cannot be a name at GitHub: letters, digits and single hyphens between them, at most 39.`
  }
  const known = people.find(login)
  if (known && typed === null) return known
  return { login: known?.login ?? login, name: known?.name ?? null, organizations: names }
}

/**
 * A `redirect_uri` that does not fit is never gone to. GitHub's pages say that it redirects to the registered callback
 * with the error; its site has come to show a page. Without a port in ours nobody is known to listen there: the page.
 */
function refuseCallback({ callbackUrl }: SignInContext, given: string, state: string | null): Reply {
  if (callbackUrl.port) return { location: withParameters(callbackUrl, { ...redirectMismatch, state }) }
  return {
    status: 400,
    title: "The redirect_uri is not associated with this application",
    content: `<p><code>${escapeHtml(given)}</code> does not lead to this machine (127.0.0.1 or localhost, any port), or
not to a path below <code>${escapeHtml(callbackUrl.pathname)}</code>.</p><p><code>redirect_uri_mismatch</code></p>`,
  }
}

const NO_SUCH_APP: Page = {
  status: 404,
  title: "There is no such app",
  content: `<p>The address has no <code>client_id</code>, or not the one that is registered here.
The local cloud's runtime file says which one is.</p>`,
}

const TOO_OLD: Page = {
  status: 400,
  title: "This page is too old",
  content: "<p>It was good for 10 minutes. Go back to the app and sign in from there once more.</p>",
}
