import { toErrorValue } from "../../../infra/errors.ts"
import { forOwner, ServiceError } from "../../errors.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { flushDisk } from "./flush.ts"
import { findMachine } from "./machine.ts"
import { takeSnapshot } from "./snapshots.ts"

const DAY = 24 * 3600_000

/** Keeps the disk of a machine, at work or switched off, as a snapshot. The machine goes on meanwhile. */
export async function backup(run: OperationRun): Promise<Outcome> {
  try {
    await make(run)
  } catch (error) {
    if (!run.signal.aborted && !run.bears(error)) await tell(run, error)
    throw error
  }
  await run.means.backups.refresh(run.workspace).catch(error => run.log.warn({ err: error }, "not shown yet"))
  return {}
}

async function make(run: OperationRun): Promise<void> {
  const { means, workspace, operation } = run
  const machine = await findMachine(run)
  if (!machine) {
    throw new ServiceError("asleep", 409, "It is asleep: the snapshot it sleeps in is its newest backup already.")
  }
  const { name, scheduled } = operation.wish ?? {}
  const days = means.config.backupDays
  const about = {
    kind: "backup" as const,
    description: name ?? `${workspace.name}, ${scheduled ? "daily" : "on demand"}`,
    // What a person made and named is theirs to remove.
    keepUntil: scheduled ? means.now() + days * DAY : null,
    scheduledAt: scheduled ? means.now() : null,
  }
  run.step("flush")
  const flushed = machine.state === "running" ? await flushDisk(run) : null
  try {
    run.step("snapshot")
    const manifest = flushed?.manifest ?? null
    await takeSnapshot(run, machine.id, { ...about, manifest, begun: () => flushed?.begun() })
  } finally {
    await flushed?.release()
  }
}

/** Of one that the schedule wanted its owner hears when trying again does not help either. */
async function tell({ means, workspace, operation, log }: OperationRun, error: unknown): Promise<void> {
  if (operation.wish?.scheduled) return
  const { message } = error instanceof ServiceError ? error : forOwner(toErrorValue(error))
  const facts = { workspace: workspace.id, name: workspace.name, message }
  await means
    .notify(workspace.owner, "backup-failed", facts, { id: `${operation.id}-backup-failed` })
    .catch(error => log.warn({ err: error }, "nobody could be told of a failed backup"))
}
