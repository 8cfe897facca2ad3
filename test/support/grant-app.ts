import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import grant, { type GrantProvider, type GrantResponse, type GrantSession } from "grant"
import Koa, { type Context, type Middleware } from "koa"

export interface GrantApp {
  /** `http://localhost:PORT`: another site than the stand-in at 127.0.0.1, as GitHub is another site than an app. */
  url: string
  /** What grant handed over at each callback. */
  responses: GrantResponse[]
  /** The sessions by their cookie. */
  sessions: Map<string, { grant?: GrantSession }>
  close(): Promise<void>
}

export interface GrantAppOptions {
  /** Where the stand-in is, and its app. */
  signIn: { url: string; clientId: string; clientSecret: string }
  provider?: GrantProvider
  sameSite?: "lax" | "strict"
  /** False: the session stays as grant leaves it after the callback. */
  forget?: boolean
  /** False: grant sees every callback, whatever is in its query. */
  guarded?: boolean
}

/** A small app that signs people in with grant, as it comes: what the service does, without anything behind it. */
export async function startGrantApp(options: GrantAppOptions): Promise<GrantApp> {
  const { signIn, provider, sameSite = "lax", forget = true, guarded = true } = options
  const responses: GrantResponse[] = []
  const sessions: GrantApp["sessions"] = new Map()
  const koa = new Koa()
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`

  const withSession: Middleware = async (ctx, next) => {
    let id = ctx.cookies.get("sid") ?? ""
    if (!sessions.has(id)) {
      id = randomUUID()
      sessions.set(id, {})
      ctx.cookies.set("sid", id, { httpOnly: true, sameSite })
    }
    ctx.session = sessions.get(id)
    await next()
  }
  // grant's types describe an ES module while it is CommonJS: for TypeScript the function is its `default`.
  const signInWithGrant = grant.default.koa({
    defaults: { origin: url, prefix: "/login", transport: "state", state: true, pkce: true, dynamic: [] },
    github: {
      key: signIn.clientId,
      secret: signIn.clientSecret,
      authorize_url: `${signIn.url}/login/oauth/authorize`,
      access_url: `${signIn.url}/login/oauth/access_token`,
      profile_url: `${signIn.url}/api/v3/user`,
      response: ["tokens", "raw", "profile"],
      ...provider,
    },
  }) as Middleware
  koa.use(withSession)
  koa.use((ctx, next) => (guarded && !isAnswer(ctx) ? refuse(ctx) : next()))
  koa.use(signInWithGrant)
  koa.use(ctx => {
    if (ctx.path !== "/login/github/callback") return
    const { response } = ctx.state.grant as { response: GrantResponse }
    responses.push(response)
    if (forget) ctx.session.grant = undefined
    ctx.body = { error: response.error, login: response.profile?.login }
  })
  server.on("request", koa.callback())
  return {
    url,
    responses,
    sessions,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/**
 * Whether grant may see this request. Without a `code` grant 5.4.24 takes a callback's query for the answer of the
 * token endpoint, an `access_token` in it included, and never looks at the state: so anybody's token would do.
 */
function isAnswer(ctx: Context): boolean {
  if (ctx.path !== "/login/github/callback") return true
  const { code, error, state } = ctx.query
  const expected = (ctx.session as { grant?: GrantSession }).grant?.state
  return typeof expected === "string" && state === expected && typeof (error ?? code) === "string"
}

function refuse(ctx: Context): void {
  ctx.status = 400
  ctx.body = { error: "this sign-in was not begun here" }
}
