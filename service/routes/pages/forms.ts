import bodyParser from "@koa/bodyparser"
import type { Context as KoaContext } from "koa"
import { ServiceError } from "../../errors.ts"
import type { Keys } from "../../keys.ts"
import { requireLogin } from "../../middleware/caller.ts"
import type { Caller, Context } from "../../middleware/request-state.ts"
import type { Services } from "../../services.ts"

const PURPOSE = "csrf"
const FORM_LIMIT = "1mb"

export type PageContext = Context & KoaContext
export type SignedInCaller = Caller & { login: NonNullable<Caller["login"]> }

/** The token every form of a login carries; another site can neither read nor guess it. */
export const csrfToken = (keys: Keys, caller: SignedInCaller) => keys.mac(PURPOSE, caller.login.hash)

const parse = bodyParser({ enableTypes: ["form"], formLimit: FORM_LIMIT })

/** The fields of a form, after its token has been checked. */
export interface Form {
  caller: SignedInCaller
  /** A field's text, trimmed; empty where it was not sent. */
  text(name: string): string
  /** All values of a field that may come more than once. */
  all(name: string): string[]
}

/** @throws ServiceError `signed-out`, or `form-too-old` when the token is not this login's */
export async function readForm({ keys }: Pick<Services, "keys">, ctx: PageContext): Promise<Form> {
  const caller = requireLogin(ctx)
  await parse(ctx as never, async () => {})
  // The parser's own reading makes objects of fields: of `a.b`, `a[b]`, and of any that comes more than 20 times.
  const fields = new URLSearchParams((ctx.request as { rawBody?: string }).rawBody)
  const all = (name: string) => fields.getAll(name)
  const text = (name: string) => all(name)[0]?.trim() ?? ""
  if (!keys.isMac(PURPOSE, caller.login.hash, text("csrf"))) {
    throw new ServiceError(
      "form-too-old",
      403,
      "This form belongs to an older login: go back, load the page anew, and try again.",
    )
  }
  return { caller, text, all }
}

/** Answers with a page. */
export function show(ctx: PageContext, page: string, status = 200): void {
  ctx.status = status
  ctx.type = "text/html; charset=utf-8"
  // A page of a signed-in person must not come back from a cache after sign-out.
  ctx.set("Cache-Control", "no-store")
  ctx.body = page
}
