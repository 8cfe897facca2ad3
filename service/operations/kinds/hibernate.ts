import { InfraError } from "../../../infra/errors.ts"
import { imageIdOf } from "../../../infra/image-id.ts"
import { ServiceError } from "../../errors.ts"
import { backUpHomeBeforeStop } from "../../home-backups/before-stop.ts"
import type { Place, Workspace } from "../../workspaces/workspace.ts"
import { type OperationRun, type Outcome, Returned } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { apply, closeViewers, findMachine, putAway, switchOff, whenFree, whyStopped } from "./machine.ts"
import { fallAsleep } from "./sleep.ts"
import { removeSleepSnapshots, sleepSnapshot, takeSnapshot } from "./snapshots.ts"

/**
 * Stops a workspace so that it costs no machine: its disk is kept as a snapshot, where the provider can do that with its
 * memory and all that runs; the machine is deleted, addresses and names stay. Nothing is deleted before the snapshot is
 * proven available and such a machine can be had again.
 */
export async function hibernate(run: OperationRun): Promise<Outcome> {
  const { means, workspace } = run
  const machine = await findMachine(run)
  await closeViewers(run, whyStopped(run))
  if (machine?.state === "running") await backUpHomeBeforeStop(run)
  run.step("power")
  if (machine) await whenFree(run, machine)
  const memory = machine !== null && (await fallAsleep(run, machine))
  if (machine && !memory) await switchOff(run, machine)
  run.step("snapshot")
  const snapshot = await takeSnapshot(run, machine?.id ?? null, {
    ...{ kind: "sleep", keepUntil: null, memory },
    description: `${workspace.name}, asleep`,
  })
  if (snapshot === null) {
    throw new InfraError(
      "machine-missing",
      "investigate",
      "The workspace has no machine at the provider any more; restore a backup, delete the workspace, or ask the operator.",
    )
  }
  if (machine) {
    const lacking = await cannotBeHad(run, workspace, snapshot)
    if (lacking !== null) {
      const programs = memory ? " Its programs have ended all the same." : ""
      run.say(`${lacking} So the machine is kept, switched off: it can be started again at any time.${programs}`)
      await means.machines.removeSnapshot(snapshot, { signal: run.signal })
      return { machineId: machine.id, stopMode: "power-off" }
    }
  }
  run.step("resources")
  await putAway(run)
  return { machineId: "", snapshot, stopMode: "hibernate", memory: memory ? snapshot : "" }
}

/**
 * Makes the machine of a sleeping workspace again from its snapshot, in the place that was wished for. The snapshot is
 * kept until the new machine has reported that it is ready.
 */
export async function wake(run: OperationRun): Promise<Outcome> {
  const { workspace, operation } = run
  run.step("check")
  const place = operation.wish?.place ?? placeOf(workspace)
  const machine = await findMachine(run)
  const snapshot = workspace.snapshot ?? (await sleepSnapshot(run))
  if (!machine) {
    if (snapshot === null) {
      throw new InfraError(
        "machine-missing",
        "investigate",
        "The workspace has neither a machine nor a snapshot it sleeps in; restore a backup, or ask the operator.",
      )
    }
    const lacking = await cannotBeHad(run, place, snapshot)
    if (lacking !== null) throw new Returned(soldOut(lacking), "STOPPED")
  }
  const { region, size } = place
  const image = snapshot === null ? workspace.image : imageIdOf(snapshot)
  const made = apply(run, { region, size, image }, () => run.step("resources"))
  // Not every provider says beforehand where it has room.
  const { machineId, ipv4 } = await (machine ? made : staysStopped(made))
  // One that was there before may be off.
  if (machine?.state === "off") await run.means.machines.powerOn(machine.id, { signal: run.signal })
  await waitUntilReady(run)
  await removeSleepSnapshots(run)
  return { machineId, ipv4, snapshot: "", place: JSON.stringify(place) }
}

export const placeOf = ({ region, size, sizeClass, price }: Workspace): Place => ({ region, size, sizeClass, price })

/** Why a machine cannot be had at a place now, in words; null when it can. */
export async function cannotBeHad(
  { means, workspace, signal }: OperationRun,
  { size, region }: Pick<Place, "size" | "region">,
  image: string,
): Promise<string | null> {
  try {
    const { zone } = means.config.providers[workspace.provider]
    await means.machines.check({ size, region, image: imageIdOf(image), zone }, { signal })
    return null
  } catch (error) {
    if (error instanceof InfraError && SCARCE.includes(error.id)) return error.message
    throw error
  }
}

/** What finds no room at the provider leaves a stopped workspace as it is. @throws Returned with `sold-out` */
export async function staysStopped<T>(work: Promise<T>): Promise<T> {
  return work.catch(error => {
    if (error instanceof InfraError && error.id === "provider-no-capacity")
      throw new Returned(soldOut(error.message), "STOPPED")
    throw error
  })
}

const SCARCE = ["provider-no-capacity", "unknown-size", "unknown-region"]

/** Nothing is lost by it: what sleeps goes on sleeping. */
export const soldOut = (why: string) =>
  new ServiceError(
    "sold-out",
    409,
    `${why} Nothing is lost: start it with another size or region, or try again later.`,
    {
      next: "retry",
    },
  )
