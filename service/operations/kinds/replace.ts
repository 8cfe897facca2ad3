import { InfraError } from "../../../infra/errors.ts"
import { imageIdOf } from "../../../infra/image-id.ts"
import { SNAPSHOT_LABELS } from "../../../infra/machines/snapshots.ts"
import { LABELS } from "../../../infra/workspace-spec.ts"
import { ServiceError } from "../../errors.ts"
import type { Place } from "../../workspaces/workspace.ts"
import { failureIn, type OperationRun, type Outcome, Returned } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { removeVolumes } from "./carriage.ts"
import { cannotBeHad, placeOf, soldOut } from "./hibernate.ts"
import { apply, closeViewers, findMachine, putAway, switchOff } from "./machine.ts"
import { unchanged } from "./resize.ts"
import { newestSnapshot, relabel, removeSleepSnapshots, sleepSnapshot, takeSnapshot } from "./snapshots.ts"

const DAY = 24 * 3600_000
/** How long the machine from before a restore can be had back. */
const SAFETY_DAYS = 7

/** Puts a backup in the place of a workspace's machine; how it was before is kept as a snapshot. */
export async function restore(run: OperationRun): Promise<Outcome> {
  const { means, workspace, operation, signal } = run
  const wanted = operation.wish?.snapshot
  const found = await means.machines.listSnapshots({ [LABELS.owner]: workspace.owner }, { signal })
  const chosen = found.find(one => one.id === wanted)
  if (chosen?.state !== "available") {
    throw new Returned(
      new ServiceError("no-backup", 409, "This backup is not there any more, or not usable: choose another one."),
      operation.marks.from === undefined ? await stateNow(run) : "RUNNING",
    )
  }
  const outcome = await replaceMachine(run, { place: placeOf(workspace), image: () => chosen.id, isRestore: true })
  // Of an upgrade that was cut off for good, which this has taken back.
  await removeVolumes(run)
  const image = chosen.labels[SNAPSHOT_LABELS.madeOf]
  return { ...outcome, ...(image ? { image } : {}) }
}

/** Makes a workspace's machine again in another region; its address changes, its name does not. */
export async function move(run: OperationRun): Promise<Outcome> {
  const place = run.operation.wish?.place
  if (!place) throw new Error("a move without a place was recorded")
  return replaceMachine(run, { place, image: safety => safety, isRestore: false })
}

/**
 * Replaces a machine by another one: kept as it is in a snapshot, put away, made anew. When the new one does not become
 * ready, the machine is made again as it was.
 * @param wanted.image of the new machine, given the snapshot of the old one
 * @param wanted.isRestore that snapshot remains when all is well; and there need be nothing to keep, since the new
 *   machine is made from something else
 */
async function replaceMachine(
  run: OperationRun,
  wanted: { place: Place; image: (safety: string) => string; isRestore: boolean },
): Promise<Outcome> {
  const { means, workspace, operation, signal } = run
  const before = placeOf(workspace)
  if (operation.marks.safety === undefined) {
    const lacking = await cannotBeHad(run, wanted.place, String(workspace.image))
    if (lacking !== null) throw new Returned(soldOut(lacking), await stateNow(run))
    const kept = await keepAsItIs(run)
    if (kept === null && !wanted.isRestore) throw nothingLeft()
    await run.mark("safety", kept ?? NOTHING)
  }
  const safety = operation.marks.safety as string
  if (operation.marks.returning === undefined) {
    if (operation.marks.away === undefined) {
      run.step("resources")
      await putAway(run)
      await run.mark("away")
    }
    run.step("resources")
    try {
      const { region, size } = wanted.place
      const since = means.now()
      const made = await apply(run, { region, size, image: imageIdOf(wanted.image(safety)) })
      await waitUntilReady(run, since)
      if (!wanted.isRestore) await means.machines.removeSnapshot(safety, { signal })
      await removeSleepSnapshots(run)
      return { ...made, snapshot: "", place: JSON.stringify(wanted.place) }
    } catch (error) {
      const { id } = failureIn(run, error)
      // There is no way back; trying again goes the same way.
      if (safety === NOTHING) throw error
      run.log.warn({ err: error }, "the new machine did not come up; the one before is made again")
      await run.mark("returning", id)
    }
  }
  run.say("The new machine did not become ready. The one before is made again from its snapshot.")
  run.step("resources")
  if (operation.marks.gone === undefined) {
    await putAway(run)
    await run.mark("gone")
  }
  const { region, size } = before
  const since = means.now()
  const made = await apply(run, { region, size, image: imageIdOf(safety) })
  await waitUntilReady(run, since)
  await removeSleepSnapshots(run)
  const why = new ServiceError(
    operation.marks.returning ?? "machine-not-ready",
    409,
    "The new machine did not become ready in time.",
  )
  throw new Returned(unchanged(why), "RUNNING", { ...made, snapshot: "" })
}

/** The mark of a workspace of which nothing was left that could be kept. */
const NOTHING = "nothing"

/**
 * The machine as it is now, as a snapshot; of a workspace that sleeps, the one it sleeps in. Null where there is
 * neither, as after a machine was deleted by hand.
 */
async function keepAsItIs(run: OperationRun): Promise<string | null> {
  const { means, workspace } = run
  const keepUntil = means.now() + SAFETY_DAYS * DAY
  const machine = await findMachine(run)
  if (machine) {
    await closeViewers(run, "It is made anew.")
    run.step("power")
    await switchOff(run, machine)
  }
  run.step("snapshot")
  const about = { kind: "safety" as const, keepUntil, description: `${workspace.name}, before it was changed` }
  const taken = await takeSnapshot(run, machine?.id ?? null, about)
  if (taken !== null) return taken
  // Without a machine the newest one for safety is of an operation before this, which put it away and then failed.
  const asleep = (await sleepSnapshot(run)) ?? (await newestSnapshot(run, "safety"))
  if (asleep !== null) await relabel(run, asleep, about)
  return asleep
}

const nothingLeft = () =>
  new InfraError(
    "machine-missing",
    "investigate",
    `The workspace has neither a machine nor a snapshot it sleeps in (label ${SNAPSHOT_LABELS.kind}); restore a backup, or ask the operator.`,
  )

/** The state of rest a workspace goes back to when nothing was done to it. */
async function stateNow(run: OperationRun): Promise<"RUNNING" | "STOPPED"> {
  const machine = await findMachine(run)
  return machine !== null && machine.state === "running" ? "RUNNING" : "STOPPED"
}
