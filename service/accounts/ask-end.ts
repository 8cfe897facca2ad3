import { ServiceError } from "../errors.ts"
import type { Services } from "../services.ts"
import type { User } from "../users/users.ts"
import { endAccess } from "./end-account.ts"
import type { Ending } from "./endings.ts"

/**
 * A user asks for the end of their account: recorded first, then all access is taken at once. The rest is done by the
 * worker, whatever happens to this process.
 * @param confirm their login name, as typed
 * @throws ServiceError `not-confirmed`
 */
export async function askEnd(
  services: Services,
  user: User,
  { confirm, snapshots }: { confirm: string; snapshots: Ending["snapshots"] },
): Promise<Ending> {
  // GitHub's login names know no capitals.
  if (confirm.toLowerCase() !== user.login.toLowerCase()) {
    throw new ServiceError("not-confirmed", 422, "This is not your login name: nothing was deleted.")
  }
  const ending = { user: user.id, snapshots, askedAt: services.now() }
  await services.endings.begin(ending)
  services.log.info({ user: user.id, snapshots }, "an account is ending")
  await endAccess(services, user.id).catch(error => {
    services.log.warn({ err: error, user: user.id }, "access could not be ended at once; the worker does it")
  })
  return ending
}
