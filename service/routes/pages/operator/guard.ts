import { notFound } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import { requireLogin } from "../../../middleware/caller.ts"
import type { Services } from "../../../services.ts"
import { type Form, type PageContext, readForm, type SignedInCaller } from "../forms.ts"

/** Whoever asks for a page of operators; to others there is none. @throws ServiceError 401 or `not-found` */
export function requireOperator({ operators }: Pick<Services, "operators">, ctx: PageContext): SignedInCaller {
  const caller = requireLogin(ctx)
  if (!operators.has(caller.user)) throw notFound("page")
  return caller
}

/** A form of a page of operators; what it does is in the audit log. */
export async function readOperatorForm(services: Services, ctx: PageContext, action: string): Promise<Form> {
  requireOperator(services, ctx)
  noteForAudit(ctx, { action, operator: true })
  return readForm(services, ctx)
}
