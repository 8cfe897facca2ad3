import type { RunResult } from "../../infra/engine.ts"
import { notFound } from "../errors.ts"
import type { Services } from "../services.ts"
import { requireQuiet } from "./desk.ts"

/**
 * Reads a workspace's real resources into its stack's state, while no operation is at it.
 * @throws ServiceError `not-found` or `busy`; InfraError
 */
export async function refreshStack(
  { store, pool, cloud }: Pick<Services, "store" | "pool" | "cloud">,
  id: string,
): Promise<{ owner: string | undefined; changes: RunResult["changes"] }> {
  const workspace = await requireQuiet({ store }, id)
  const { changes } = await pool.run<RunResult>(cloud, { action: "refresh", workspace: id }).catch(error => {
    throw (error as { id?: string }).id === "stack-not-found" ? notFound("stack") : error
  })
  return { owner: workspace?.owner, changes }
}
