import type { Lenient, Machine, Machines } from "../../infra/machines/contract.ts"
import { PROVER_LABELS } from "../../infra/machines/provers.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { listProvers } from "../operations/kinds/prover.ts"
import { isOver, type Operation } from "../operations/operation.ts"
import { toRemove } from "./retention.ts"

/** A trial takes minutes; a machine of one is left over after so long, whatever its operation says. */
const PROVER_MOST_MS = 4 * 3_600_000

export interface TidyMeans {
  machines: Pick<Machines, "list" | "remove" | "removeSnapshot">
  now: () => number
  /** Called with what could not be removed; it is tried again the next time. */
  failed: (error: unknown, what: string) => void
  /** Goes on without projects that are away: nothing of theirs is removed. */
  lenient?: Lenient
}

/**
 * Removes the snapshots whose time has come. It rests on the provider's labels: without a store, a workspace lives that
 * has a machine or a snapshot it sleeps in.
 * @param snapshots every snapshot of every workspace
 * @param store what the store knows beyond that: who lives, and what something is being made from
 * @returns those that are left
 */
export async function tidySnapshots(
  { machines, now, failed, lenient }: TidyMeans,
  snapshots: SnapshotFacts[],
  store: { living: Iterable<string>; inUse: ReadonlySet<string> } = { living: [], inUse: new Set() },
): Promise<SnapshotFacts[]> {
  const living = new Set(store.living)
  const away = new Set<string>()
  const hear = (one: string) => {
    away.add(one)
    lenient?.away(one)
  }
  for (const { labels } of await machines.list(
    { [LABELS.managedBy]: MANAGER },
    lenient ? { lenient: { ...lenient, away: hear } } : {},
  )) {
    const workspace = labels[LABELS.workspace]
    if (workspace) living.add(workspace)
  }
  for (const { kind, workspace } of snapshots) if (kind === "sleep") living.add(workspace)
  const gone = new Set<string>()
  // Who lives there cannot be told.
  const judged = snapshots.filter(one => !away.has(projectOf(one)))
  for (const { id, workspace, kind } of toRemove(
    judged,
    { isLiving: one => living.has(one), inUse: store.inUse },
    now(),
  )) {
    try {
      await machines.removeSnapshot(id)
      gone.add(id)
    } catch (error) {
      failed(error, `the ${kind} snapshot ${id} of ${workspace}`)
    }
  }
  return judged.filter(({ id }) => !gone.has(id))
}

/** Removes machines whose trials are over, or that nobody knows of any more. */
export async function tidyProvers(
  { machines, now, failed, lenient }: TidyMeans,
  operation: (id: string) => Promise<Operation | null>,
): Promise<void> {
  for (const machine of await listProvers(machines, lenient ? { lenient } : {})) {
    try {
      if (await isLeftOver(machine, operation, now())) await machines.remove(machine.id)
    } catch (error) {
      failed(error, `the machine ${machine.id} of a trial`)
    }
  }
}

async function isLeftOver(
  { labels, createdAt }: Machine,
  operation: (id: string) => Promise<Operation | null>,
  now: number,
): Promise<boolean> {
  if (now - createdAt.getTime() > PROVER_MOST_MS) return true
  const known = await operation(labels[PROVER_LABELS.operation] ?? "")
  return known === null || isOver(known)
}
