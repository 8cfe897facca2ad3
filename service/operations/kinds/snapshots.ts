import { setTimeout as sleep } from "node:timers/promises"
import {
  MADE_OF,
  SNAPSHOT_LABELS,
  type SnapshotKind,
  snapshotFacts,
  snapshotLabels,
} from "../../../infra/machines/snapshots.ts"
import { LABELS } from "../../../infra/workspace-spec.ts"
import type { OperationRun } from "../operation-run.ts"

/** Between two looks at a snapshot that an earlier run had begun. */
const LOOK_MS = 2_000

/**
 * The snapshot that this operation makes of its machine: an earlier run's when it has made one, else a new one. Resolves
 * when it is proven available.
 * @param about.keepUntil ms since 1970 after which it may be removed; null: no end
 */
export async function takeSnapshot(
  run: OperationRun,
  machine: string | null,
  about: { kind: SnapshotKind; description: string; keepUntil: number | null },
): Promise<string | null> {
  const { means, workspace, operation, signal } = run
  for (;;) {
    const made = await ofThisOperation(run, about.kind)
    const available = made.find(one => one.state === "available")
    if (available) return available.id
    // One that is being made holds the machine: another cannot be begun, and it may come out well.
    if (!made.some(one => one.state === "creating")) break
    await sleep(LOOK_MS, undefined, { signal })
  }
  if (machine === null) return null
  const { id, owner, profile, region, size } = workspace
  const labels = snapshotLabels({
    ...{ workspace: id, owner, profile, region, size },
    ...{ kind: about.kind, keepUntil: about.keepUntil, operation: operation.id },
  })
  const { id: snapshot } = await means.machines.createSnapshot(
    machine,
    { description: about.description, labels: { ...labels, [MADE_OF]: String(workspace.image) } },
    { signal },
  )
  return snapshot
}

async function ofThisOperation({ means, workspace, operation, signal }: OperationRun, kind: SnapshotKind) {
  return means.machines.listSnapshots(
    {
      [LABELS.workspace]: workspace.id,
      [SNAPSHOT_LABELS.operation]: operation.id,
      [SNAPSHOT_LABELS.kind]: kind,
    },
    { signal },
  )
}

/** The newest snapshot that the workspace sleeps in, by its labels. */
export async function sleepSnapshot({ means, workspace, signal }: OperationRun): Promise<string | null> {
  const found = await means.machines.listSnapshots(
    { [LABELS.workspace]: workspace.id, [SNAPSHOT_LABELS.kind]: "sleep" },
    { signal },
  )
  const [newest] = found
    .filter(one => one.state === "available")
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  return newest?.id ?? null
}

/** Removes the snapshots a workspace slept in: its machine runs, so they are old. */
export async function removeSleepSnapshots({ means, workspace, signal }: OperationRun): Promise<void> {
  const found = await means.machines.listSnapshots(
    { [LABELS.workspace]: workspace.id, [SNAPSHOT_LABELS.kind]: "sleep" },
    { signal },
  )
  for (const { id } of found) await means.machines.removeSnapshot(id, { signal })
}

/** Makes a snapshot one of another kind. */
export async function relabel(
  { means, workspace, operation, signal }: OperationRun,
  id: string,
  about: { kind: SnapshotKind; keepUntil: number | null },
): Promise<void> {
  const found = await means.machines.listSnapshots({ [LABELS.workspace]: workspace.id }, { signal })
  const facts = found.filter(one => one.id === id).map(snapshotFacts)[0]
  if (!facts) return
  const { id: name, owner, profile, region, size } = workspace
  const labels = snapshotLabels({ workspace: name, owner, profile, region, size, operation: operation.id, ...about })
  await means.machines.labelSnapshot(id, { ...labels, [MADE_OF]: String(workspace.image) }, { signal })
}
