import type { HeldResource, Machines } from "../../infra/machines/contract.ts"
import { planSweep } from "../../infra/sweep.ts"
import { PREFIX } from "../redis/connect.ts"
import type { Ledger } from "../usage/ledger.ts"
import { monthOf } from "../usage/months.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { areRecordsWhole, type RebuildMeans, rebuildRecords } from "./rebuild.ts"

/** What was found without a workspace, and when first: a hash, so that a restart or another worker goes on with it. */
const SUSPECTS = `${PREFIX}sweep:suspects`

export interface SweepMeans extends RebuildMeans {
  store: Pick<WorkspaceStore, "ids">
  machines: Pick<Machines, "list" | "listVolumes" | "heldResources" | "removeResources">
  ledger: Pick<Ledger, "linesFor">
}

/**
 * Makes lost records again, and removes at the provider what no workspace has any more, see infra/sweep.ts.
 * @returns what was removed, and how many resources there are
 */
export async function sweep(
  means: SweepMeans,
  signal?: AbortSignal,
): Promise<{ removed: HeldResource[]; held: number }> {
  const { redis, store, machines, pool, cloud, ledger, log, now } = means
  if (!(await areRecordsWhole(redis))) await rebuildRecords(means, signal)
  // The provider first: what is made after this look has its record by the time the records are read.
  const held = await machines.heldResources(signal ? { signal } : {})
  let wanted = new Set(await store.ids())
  if (held.some(one => !wanted.has(one.workspace))) {
    if ((await rebuildRecords(means, signal)).length > 0) wanted = new Set(await store.ids())
    // A stack is a wish too: an operator's own, or that of a workspace whose record was lost.
    const stacks = await pool.run<string[]>(cloud, { action: "names" }, signal ? { signal } : {})
    for (const name of stacks) wanted.add(name)
  }
  const known = Object.entries(await redis.hgetall(SUSPECTS)).map(([key, at]) => [key, Number(at)] as const)
  const had = new Set((await ledger.linesFor(monthOf(now()), null)).map(line => line.workspace))
  const facts = { held, wanted, had, suspects: new Map(known), now: now() }
  const { remove, suspects, tooMany, foreign } = planSweep(facts)
  const change = redis.multi().del(SUSPECTS)
  if (suspects.size > 0) change.hset(SUSPECTS, Object.fromEntries(suspects))
  await change.exec()
  const told = (some: HeldResource[]) => some.map(({ workspace, type, id }) => ({ workspace, type, id }))
  if (tooMany.length > 0)
    log.error(
      { resources: told(tooMany) },
      "so much at the provider has no workspace that the records must be wrong: nothing was removed; compare FOOZOL_BACKEND_URL and Redis with what was used before",
    )
  if (foreign.length > 0)
    log.warn(
      { resources: told(foreign) },
      "these carry our label and belong to no workspace that this service ever had: left alone",
    )
  const removed: HeldResource[] = []
  for (const workspace of new Set(remove.map(one => one.workspace))) {
    const its = remove.filter(one => one.workspace === workspace)
    try {
      await machines.removeResources(its, signal ? { signal } : {})
      removed.push(...its)
      log.warn({ resources: told(its) }, "these were made for a workspace that nobody has any more: removed")
    } catch (error) {
      // The next look comes again; what others have left goes meanwhile.
      log.error({ err: error, resources: told(its) }, "what nobody has any more could not be removed")
    }
  }
  return { removed, held: held.length }
}
