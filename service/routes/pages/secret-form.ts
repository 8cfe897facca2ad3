import { noteForAudit } from "../../middleware/audited.ts"
import { SecretName, SecretValue } from "../../secrets/rules.ts"
import type { Form, PageContext } from "./forms.ts"

/** The secret that a form sends, its name noted for the audit log; or, in words, why it can be none. */
export function readSecret(ctx: PageContext, form: Form): { name: string; value: string } | { refusal: string } {
  const name = SecretName.safeParse(form.text("name"))
  // Browsers send the ends of lines as on Windows.
  const value = SecretValue.safeParse(form.text("value").replaceAll("\r\n", "\n"))
  if (name.success && value.success) {
    noteForAudit(ctx, { input: { name: name.data } })
    return { name: name.data, value: value.data }
  }
  const reason = (name.error ?? value.error)?.issues[0]?.message
  return { refusal: `The key was not stored: its ${name.success ? "value" : "name"} ${reason}.` }
}
