import { notFound, ServiceError } from "../errors.ts"
import type { Services } from "../services.ts"
import { KEY } from "../workspaces/store.ts"
import { isOver, type Operation } from "./operation.ts"

/** An operation of a user's. @throws ServiceError `not-found` */
export async function operationOf({ store }: Pick<Services, "store">, user: string, id: string): Promise<Operation> {
  const operation = await store.operation(id)
  if (!operation || operation.owner !== user) throw notFound("operation")
  return operation
}

/**
 * Wishes that an operation ends: it stops at the next point where nothing is half done, and its workspace has then
 * FAILED with `cancelled`, to be tried again or deleted.
 * @throws ServiceError `not-found`, `operation-over` or `not-cancellable`
 */
export async function cancelOperation(
  services: Pick<Services, "store" | "redis">,
  user: string,
  id: string,
): Promise<void> {
  const operation = await operationOf(services, user, id)
  if (isOver(operation)) {
    throw new ServiceError("operation-over", 409, "This operation has ended: nothing is left to cancel.")
  }
  if (operation.kind === "destroy") {
    throw new ServiceError("not-cancellable", 409, "A deletion that has begun cannot be cancelled.")
  }
  await services.redis.hset(KEY.operation(id), "cancel", "1")
}
