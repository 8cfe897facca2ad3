import { hash, randomBytes } from "node:crypto"
import { ServiceError } from "../errors.ts"
import type { Services } from "../services.ts"
import { webhookSecret } from "./webhook.ts"

type Needed = Pick<Services, "config" | "mailer" | "notify" | "preferences">

/**
 * Sets where a user's mails go, and sends a link there that proves the address theirs. Asked for again within two days
 * it sends no second one, since the first link still holds.
 * @throws ServiceError `no-mail-server`
 */
export async function askForEmail(
  { config, mailer, notify, preferences }: Needed,
  user: { id: string; login: string },
  address: string,
): Promise<void> {
  if (!mailer) throw new ServiceError("no-mail-server", 409, "This service sends no mail: use a webhook instead.")
  await preferences.setEmail(user.id, address)
  const code = preferences.confirmation(user.id, address)
  const link = `${config.url}/account/notifications/confirm?code=${encodeURIComponent(code)}`
  const id = `confirm-${user.id}-${hash("sha256", address).slice(0, 16)}`
  await notify(user.id, "confirm-address", { address, login: user.login, link }, { id })
}

/** Sets a user's webhook. @returns the secret its requests are signed with; it is told this once */
export async function setWebhook({ preferences }: Needed, user: string, url: string): Promise<string> {
  const secret = webhookSecret(randomBytes(32))
  await preferences.setWebhook(user, url, secret)
  return secret
}
