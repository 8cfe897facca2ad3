import { setTimeout as sleep } from "node:timers/promises"
import type { Snapshot } from "../../../infra/machines/contract.ts"
import {
  SNAPSHOT_LABELS,
  type SnapshotFacts,
  type SnapshotKind,
  snapshotFacts,
  snapshotLabels,
} from "../../../infra/machines/snapshots.ts"
import { LABELS } from "../../../infra/workspace-spec.ts"
import { FORGOTTEN_MS, newestFirst } from "../../backups/retention.ts"
import type { OperationRun } from "../operation-run.ts"

const DAY = 24 * 3600_000
/** Between two looks at a snapshot that an earlier run had begun. */
const LOOK_MS = 2_000

/** What a new snapshot is for. */
export interface NewSnapshot {
  kind: SnapshotKind
  description: string
  /** ms since 1970 after which it may be removed; null: no end */
  keepUntil: number | null
  /** When the schedule wanted it. */
  scheduledAt?: number | null
  /** Digest of the manifest on the disk. */
  manifest?: string | null
  /** Its machine fell asleep with its memory, which goes along. */
  memory?: boolean
  /** Called when the provider copies. */
  begun?: () => void
}

/**
 * The snapshot that this operation makes of its machine: an earlier run's when it has made one, else a new one. Resolves
 * when it is proven available.
 */
export async function takeSnapshot(
  run: OperationRun,
  machine: string | null,
  { begun, description, ...about }: NewSnapshot,
): Promise<string | null> {
  const { means, workspace, operation, signal } = run
  for (;;) {
    const made = await ofThisOperation(run, about.kind)
    const available = made.find(one => one.state === "available")
    if (available) return available.id
    // One that is being made holds the machine: another cannot be begun, and it may come out well.
    const young = (one: Snapshot) => means.now() - one.createdAt.getTime() < FORGOTTEN_MS
    if (!made.some(one => one.state === "creating" && young(one))) break
    await sleep(LOOK_MS, undefined, { signal })
  }
  if (machine === null) return null
  const { id, owner, profile, region, size } = workspace
  const labels = snapshotLabels({
    ...{ workspace: id, owner, profile, region, size, operation: operation.id },
    ...{ scheduledAt: null, manifest: null, memory: false, madeOf: String(workspace.image), ...about },
  })
  const options = begun ? { signal, begun } : { signal }
  return (await means.machines.createSnapshot(machine, { description, labels }, options)).id
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
export const sleepSnapshot = (run: OperationRun) => newestSnapshot(run, "sleep")

/** The newest snapshot of a kind that can be used. */
export async function newestSnapshot(run: OperationRun, kind: SnapshotKind): Promise<string | null> {
  const [newest] = (await snapshotsOf(run, kind)).filter(one => one.available).sort(newestFirst)
  return newest?.id ?? null
}

/**
 * Removes the snapshots a workspace slept in: its machine runs, so they are old. One that the schedule took for a day's
 * backup becomes that.
 */
export async function removeSleepSnapshots(run: OperationRun): Promise<void> {
  const { means, signal } = run
  for (const one of await snapshotsOf(run, "sleep")) {
    if (one.available && one.scheduledAt !== null) {
      const keepUntil = one.scheduledAt + means.config.backupDays * DAY
      await means.machines.labelSnapshot(one.id, snapshotLabels({ ...one, kind: "backup", keepUntil }), { signal })
    } else await means.machines.removeSnapshot(one.id, { signal })
  }
}

async function snapshotsOf({ means, workspace, signal }: OperationRun, kind: SnapshotKind): Promise<SnapshotFacts[]> {
  const labels = { [LABELS.workspace]: workspace.id, [SNAPSHOT_LABELS.kind]: kind }
  return (await means.machines.listSnapshots(labels, { signal })).flatMap(one => snapshotFacts(one) ?? [])
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
  const labels = snapshotLabels({ ...facts, ...about, operation: operation.id })
  await means.machines.labelSnapshot(id, labels, { signal })
}
