import { projectOf } from "../../../infra/projects.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { removeVolumes } from "./carriage.ts"
import { closeViewers, destroyAll, findMachine, sayEvent, switchOff, whenFree } from "./machine.ts"
import { relabel, removeSleepSnapshots, sleepSnapshot, takeSnapshot } from "./snapshots.ts"

const DAY = 24 * 3600_000

/** Deletes a workspace with everything it has, but for a last snapshot that is kept for some time. */
export async function destroy(run: OperationRun): Promise<Outcome> {
  const { means, workspace, operation } = run
  await closeViewers(run, "It is being deleted.")
  await keepLast(run)
  await removeVolumes(run)
  run.step("resources")
  await destroyAll(run, event => sayEvent(run, event))
  await means.projects.roomMade(projectOf(workspace))
  await means.homeBackups.ended(workspace, operation.wish?.leavesNothing ?? false)
  await means.secrets.forgetWorkspace(workspace.id)
  await means.looks.forget(workspace.id)
  await means.conversations.forget(workspace.id)
  return {}
}

/** The snapshot that a deleted workspace leaves: its newest state, wherever that is. */
async function keepLast(run: OperationRun): Promise<void> {
  const { means, workspace, operation } = run
  const days = means.config.finalSnapshotDays
  const machine = await findMachine(run)
  if (days === 0 || operation.wish?.leavesNothing) {
    if (machine) await whenFree(run, machine)
    return removeSleepSnapshots(run)
  }
  run.step("snapshot")
  const about = { kind: "final" as const, keepUntil: means.now() + days * DAY }
  if (machine) {
    await switchOff(run, machine)
    await takeSnapshot(run, machine.id, { ...about, description: `${workspace.name}, deleted` })
  } else {
    const asleep = await sleepSnapshot(run)
    if (asleep !== null) await relabel(run, asleep, about)
  }
  await removeSleepSnapshots(run)
}
