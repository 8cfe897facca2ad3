import type Router from "koa-router"
import { InfraError } from "../../../../infra/errors.ts"
import { ServiceError } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import type { Limits } from "../../../middleware/limits.ts"
import type { Services } from "../../../services.ts"
import type { Form, PageContext } from "../forms.ts"
import { readOperatorForm } from "./guard.ts"

/** Answers that are said on the page a form came from. */
const SAID = [403, 409, 503]
/** What was there when that page was made, and is not any more. */
const GONE = ["no-such-difference", "not-accepted"]

/** Adds forms of operators to a router: what each does, and where it leads; what cannot be done now is said on the page it came from. */
export const operatorForms =
  (router: Router, services: Services, limits: Limits) =>
  (
    path: string,
    action: string,
    act: (ctx: PageContext, sent: Form) => Promise<string | undefined>,
    say: (ctx: PageContext, sent: Form, text: string) => Promise<void>,
  ) =>
    router.post(path, async koa => {
      const ctx = koa as unknown as PageContext
      const sent = await readOperatorForm(services, ctx, action)
      await limits("change", sent.caller.user.id)
      try {
        const to = await act(ctx, sent)
        if (to === undefined) return
        ctx.redirect(to)
        ctx.status = 303
      } catch (error) {
        const status = statusOf(error)
        if (status === null) throw error
        noteForAudit(ctx, { error: (error as ServiceError | InfraError).id })
        await say(ctx, sent, (error as Error).message)
        ctx.status = status
      }
    })

function statusOf(error: unknown): number | null {
  if (error instanceof InfraError) return 502
  return error instanceof ServiceError && (SAID.includes(error.status) || GONE.includes(error.id)) ? error.status : null
}
