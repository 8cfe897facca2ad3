import type { StackSummary } from "../../infra/engine.ts"
import type { HeldResource, Machines } from "../../infra/machines/contract.ts"
import { planSweep } from "../../infra/sweep.ts"
import { PREFIX } from "../redis/connect.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { areRecordsWhole, type RebuildMeans, rebuildRecords } from "./rebuild.ts"

/** What was found without a workspace, and when first: a hash, so that a restart or another worker goes on with it. */
const SUSPECTS = `${PREFIX}sweep:suspects`

export interface SweepMeans extends RebuildMeans {
  store: Pick<WorkspaceStore, "ids">
  machines: Pick<Machines, "list" | "heldResources" | "removeResources">
}

/**
 * Makes lost records again, and removes at the provider what no workspace has any more, see infra/sweep.ts.
 * @returns what was removed
 */
export async function sweep(means: SweepMeans, signal?: AbortSignal): Promise<HeldResource[]> {
  const { redis, store, machines, pool, cloud, log, now } = means
  if (!(await areRecordsWhole(redis))) await rebuildRecords(means, signal)
  // The provider first: what is made after this look has its record by the time the records are read.
  const held = await machines.heldResources(signal ? { signal } : {})
  let wanted = new Set(await store.ids())
  if (held.some(one => !wanted.has(one.workspace))) {
    if ((await rebuildRecords(means, signal)).length > 0) wanted = new Set(await store.ids())
    // A stack is a wish too: an operator's own, or that of a workspace whose record was lost.
    const stacks = await pool.run<StackSummary[]>(cloud, { action: "list" }, signal ? { signal } : {})
    for (const { name } of stacks) wanted.add(name)
  }
  const known = Object.entries(await redis.hgetall(SUSPECTS)).map(([key, at]) => [key, Number(at)] as const)
  const { remove, suspects, tooMany } = planSweep({ held, wanted, suspects: new Map(known), now: now() })
  const change = redis.multi().del(SUSPECTS)
  if (suspects.size > 0) change.hset(SUSPECTS, Object.fromEntries(suspects))
  await change.exec()
  const told = (some: HeldResource[]) => some.map(({ workspace, type, id }) => ({ workspace, type, id }))
  if (tooMany.length > 0)
    log.error(
      { resources: told(tooMany) },
      "so much at the provider has no workspace that the records must be wrong: nothing was removed; compare FOOZOL_BACKEND_URL and Redis with what was used before",
    )
  if (remove.length > 0) {
    log.warn({ resources: told(remove) }, "these were made for workspaces that nobody has any more: removed")
    await machines.removeResources(remove, signal ? { signal } : {})
  }
  return remove
}
