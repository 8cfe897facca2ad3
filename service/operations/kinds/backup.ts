import { ServiceError } from "../../errors.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { findMachine } from "./machine.ts"
import { takeSnapshot } from "./snapshots.ts"

const DAY = 24 * 3600_000

/** Keeps the disk of a machine, at work or switched off, as a snapshot. */
export async function backup(run: OperationRun): Promise<Outcome> {
  const { means, workspace, operation } = run
  const machine = await findMachine(run)
  if (!machine) {
    throw new ServiceError("asleep", 409, "It is asleep: the snapshot it sleeps in is its newest backup already.")
  }
  run.step("snapshot")
  const { name, scheduled } = operation.wish ?? {}
  const days = means.config.backupDays
  await takeSnapshot(run, machine.id, {
    kind: "backup",
    description: name ?? `${workspace.name}, ${scheduled ? "daily" : "on demand"}`,
    // What a person made and named is theirs to remove.
    keepUntil: scheduled ? means.now() + days * DAY : null,
  })
  return {}
}
