import type { RunResult } from "../../infra/engine.ts"
import type { EngineAction } from "../../infra/engine-protocol.ts"
import type { Recovery } from "../../infra/recover-stack.ts"
import { type Holder, judgeLocks } from "../../infra/stack-locks.ts"
import { notFound, ServiceError } from "../errors.ts"
import type { Services } from "../services.ts"
import { requireQuiet } from "./desk.ts"

/** What the engine does to a stack by hand, when no operation is at it. Whose it is: undefined where nobody knows it any more. */

type Means = Pick<Services, "store" | "pool" | "cloud">
type Owned<T> = T & { owner: string | undefined }

/** Reads a workspace's real resources into its stack's state. @throws ServiceError `not-found` or `busy`; InfraError */
export async function refreshStack(means: Means, id: string): Promise<Owned<Pick<RunResult, "changes">>> {
  const workspace = await requireQuiet(means, id)
  const { changes } = await run<RunResult>(means, { action: "refresh", workspace: id })
  return { owner: workspace?.owner, changes }
}

/** Mends what a run that was cut off has left in a stack. @throws ServiceError `not-found`, `busy` or `stack-locked`; InfraError */
export async function recoverStack(means: Means, id: string): Promise<Owned<{ recovery: Recovery }>> {
  const workspace = await requireQuiet(means, id)
  return { owner: workspace?.owner, recovery: await run<Recovery>(means, { action: "recover", workspace: id }) }
}

/** What `recoverStack` would mend; changes nothing. @throws as `recoverStack` does */
export async function foreseeRecovery(means: Means, id: string): Promise<Owned<{ recovery: Recovery }>> {
  const workspace = await requireQuiet(means, id)
  const recovery = await run<Recovery>(means, { action: "recover", workspace: id, dryRun: true })
  return { owner: workspace?.owner, recovery }
}

/**
 * Removes a stack's lock whose holder is proven dead.
 * @param force whoever holds it
 * @throws ServiceError `not-found`, `busy` or `stack-locked`; InfraError
 */
export async function unlockStack(
  means: Means,
  id: string,
  force: boolean,
): Promise<Owned<Pick<RunResult, "changes">>> {
  const workspace = await requireQuiet(means, id)
  const done = await run<RunResult | null>(means, { action: "unlock", workspace: id, force })
  return { owner: workspace?.owner, changes: done?.changes ?? {} }
}

/** Who holds a stack; null where the backend does not tell. What `unlockStack` would remove are the dead ones. */
export async function holdersOf({ locksOf }: Pick<Services, "locksOf">, id: string): Promise<Holder[] | null> {
  const locks = await locksOf(id)
  return locks && judgeLocks(locks)
}

async function run<T>({ pool, cloud }: Means, action: EngineAction): Promise<T> {
  return pool.run<T>(cloud, action).catch(error => {
    const { id, message } = error as { id?: string; message: string }
    if (id === "stack-not-found") throw notFound("stack")
    // Not the provider's doing: whoever holds it lives.
    if (id === "stack-locked") throw new ServiceError("stack-locked", 409, message)
    throw error
  })
}
