import type { Services } from "../services.ts"
import type { Login } from "./logins.ts"

/** Ends a login and every desktop that was opened from it: the login first, so that no token comes after. */
export async function endLogin(
  { logins, tokens, channel }: Pick<Services, "logins" | "tokens" | "channel">,
  login: Pick<Login, "hash" | "user">,
): Promise<void> {
  await logins.end(login)
  await channel.revoke(await tokens.revokeOfLogin(login.hash))
}
