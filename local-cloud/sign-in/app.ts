import { bodyParser } from "@koa/bodyparser"
import Koa, { type Context, type Middleware } from "koa"
import Router from "koa-router"
import type { Logger } from "pino"
import { giveToken } from "./access-token.ts"
import type { AppCredentials } from "./app-credentials.ts"
import { askWho, type Reply, takeAnswer } from "./authorize.ts"
import { avatarSvg } from "./avatar.ts"
import { isLoopback } from "./callback-url.ts"
import type { SignInContext } from "./context.ts"
import { type Page, sendPage } from "./page.ts"
import { openPeople } from "./people.ts"
import { field, originOf } from "./request-fields.ts"
import { createRest } from "./rest.ts"
import { createShortLived } from "./short-lived.ts"
import { createTokens } from "./tokens.ts"

/** How long a code is good ("The temporary code will expire after 10 minutes"), and the page that asks; milliseconds. */
const LIFETIME = 10 * 60_000

export interface SignInOptions {
  /** Folder of the list of people. */
  directory: string
  app: AppCredentials
  /** The app's registered callback, a loopback URL; any port fits. */
  callbackUrl: URL
  log: Logger
  /** The time, milliseconds. */
  now(): number
}

/**
 * A stand-in for GitHub's sign-in: its OAuth web flow and the API calls that tell who somebody is, laid out as on a
 * GitHub Enterprise Server. It believes whatever it is told, so it must be reachable from this machine alone.
 */
export function createSignIn({ directory, app, callbackUrl, log, now }: SignInOptions): Koa {
  const context: SignInContext = {
    app,
    callbackUrl,
    people: openPeople(directory),
    requests: createShortLived({ lifetime: LIFETIME, keyBytes: 16, most: 10_000, now }),
    codes: createShortLived({ lifetime: LIFETIME, keyBytes: 10, most: 10_000, now }),
    tokens: createTokens(),
    log,
  }
  const router = new Router()
  router.get("/", koa => sendPage(koa, FRONT))
  router.get("/login/oauth/authorize", koa => send(koa, askWho(context, new URLSearchParams(koa.querystring))))
  router.post("/login/oauth/authorize", koa =>
    send(
      koa,
      takeAnswer(context, name => field(koa, name)),
    ),
  )
  router.post("/login/oauth/access_token", koa => giveToken(context, koa))
  router.get("/avatars/u/:id", koa => {
    // Pages of other origins show it.
    koa.set({ "cross-origin-resource-policy": "cross-origin", "content-security-policy": "default-src 'none'" })
    koa.type = "image/svg+xml"
    koa.body = avatarSvg(String(koa.params.id))
  })
  const koa = new Koa()
  koa.silent = true
  koa.on("error", error => {
    if (!error.expose) log.error({ err: error }, "the stand-in for GitHub failed")
  })
  koa.use(onlyHere)
  koa.use(bodyParser({ enableTypes: ["form", "json"], formLimit: "16kb", jsonLimit: "16kb" }))
  koa.use(router.routes() as Middleware)
  koa.use(createRest(context).routes() as Middleware)
  return koa
}

const FRONT: Page = { status: 200, title: "Nothing to do here", content: "<p>Sign in from the app.</p>" }

function send(koa: Context, reply: Reply): void {
  if ("location" in reply) {
    koa.set({ "cache-control": "no-store", "referrer-policy": "no-referrer" })
    koa.redirect(reply.location)
  } else sendPage(koa, reply)
}

/** Only by a name of this machine: a site whose name was pointed here (DNS rebinding) would read the page's keys. */
const onlyHere: Middleware = (koa, next) => {
  const asked = URL.parse(originOf(koa))
  if (asked && isLoopback(asked)) return next()
  koa.status = 421
  koa.body = "The stand-in for GitHub answers at 127.0.0.1 and localhost only.\n"
}
