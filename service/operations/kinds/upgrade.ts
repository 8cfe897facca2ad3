import { setTimeout as sleep } from "node:timers/promises"
import { toErrorValue } from "../../../infra/errors.ts"
import type { ImageId } from "../../../infra/image-id.ts"
import type { Machine } from "../../../infra/machines/contract.ts"
import { ServiceError } from "../../errors.ts"
import { failureIn, type OperationRun, type Outcome, Returned } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { carried, removeVolumes, volumeAt } from "./carriage.ts"
import { wake } from "./hibernate.ts"
import { closeViewers, switchOff, theMachine } from "./machine.ts"
import { unchanged } from "./resize.ts"
import { takeSnapshot } from "./snapshots.ts"

const DAY = 24 * 3600_000
/** How long the machine from before an upgrade can be had back. */
const SAFETY_DAYS = 7
/** Between two looks at a machine with which the provider is busy. */
const BUSY_MS = 1_000

/**
 * Gives a machine the newest golden image and brings back what its user has made of it. The machine stays the same one
 * at the provider, so it cannot be sold out: its disk is replaced. Before that, a volume holds what is the user's, and a
 * snapshot the whole disk; what does not go well goes back to that snapshot.
 */
export async function upgrade(run: OperationRun): Promise<Outcome> {
  const { operation } = run
  run.step("check")
  const image = operation.wish?.image
  if (image === undefined) throw new Error("an upgrade without an image was recorded")
  const before = await awake(run)
  const lost = operation.wish?.safety
  if (lost !== undefined) return goBack(run, before, lost, "upgrade-failed")
  const safety = operation.marks.safety ?? (await putAside(run, before))
  if (operation.marks.returning === undefined) {
    try {
      const machineId = await replaceSystem(run, image)
      return { ...before, machineId, image: String(image), ...(await asItWas(run)) }
    } catch (error) {
      const failure = failureIn(run, error)
      const { detail } = toErrorValue(failure)
      run.log.warn({ err: failure, detail }, "the new image did not come up")
      await run.mark("returning", failure.id)
    }
  }
  return goBack(run, before, safety, operation.marks.returning ?? "machine-not-ready")
}

/** What sleeps is woken first: its disk is nowhere else. */
async function awake(run: OperationRun): Promise<Outcome> {
  const { workspace, operation } = run
  if (workspace.snapshot === null) return {}
  if (operation.marks.woken === undefined) await run.mark("woken", JSON.stringify(await wake(run)))
  return JSON.parse(operation.marks.woken as string) as Outcome
}

/**
 * Brings what is the user's onto a volume, then keeps the whole disk as a snapshot, whose id it returns. Until then
 * nothing has changed but that the user's programs were ended.
 */
async function putAside(run: OperationRun, before: Outcome): Promise<string> {
  const { means, workspace, operation, signal } = run
  const machine = await settled(run)
  if (operation.marks.packed === undefined) {
    await closeViewers(run, "It gets a newer image.")
    run.step("carry-out")
    try {
      if (machine.state !== "running") {
        const since = means.now()
        await means.machines.powerOn(machine.id, { signal })
        await waitUntilReady(quietly(run), since)
      }
      await carried(run, "out", await volumeAt(run, machine))
    } catch (error) {
      const failure = failureIn(run, error)
      run.say("It could not be begun; the machine goes on as it was.")
      await removeVolumes(run)
      // Its home is what it goes on with: what was held for the sake of it is done at its next connection.
      await run.mark("unbegun")
      await restart(run, machine)
      const { state = "RUNNING" } = await asItWas(run)
      throw new Returned(unchanged(failure), state, { ...before, machineId: machine.id })
    }
    await run.mark("packed")
  }
  run.step("power")
  await switchOff(run, await theMachine(run))
  run.step("snapshot")
  const description = `${workspace.name}, before it got a newer image`
  const about = { kind: "safety" as const, keepUntil: means.now() + SAFETY_DAYS * DAY, description }
  const safety = (await takeSnapshot(run, machine.id, about)) as string
  await run.mark("safety", safety)
  return safety
}

/** The machine of the new image with what is the user's; returns its id. */
async function replaceSystem(run: OperationRun, image: ImageId): Promise<string> {
  const { means, operation } = run
  const machine = await settled(run)
  if (operation.marks.carried === undefined) {
    run.step("resources")
    if (operation.marks.rebuilt === undefined) {
      const since = means.now()
      await replaceDisk(run, machine, String(image))
      await run.mark("rebuilt", String(since))
    }
    await waitUntilReady(quietly(run), Number(operation.marks.rebuilt))
    run.step("carry-in")
    await carried(run, "in", await volumeAt(run, machine))
    await run.mark("carried")
  }
  await removeVolumes(run)
  // Everything starts anew with what was brought: users, services, settings, terminals.
  await restart(run, machine)
  return machine.id
}

/** The disk as it was in place of whatever is there; always ends in `Returned`. */
async function goBack(run: OperationRun, before: Outcome, safety: string, why: string): Promise<never> {
  const { means, operation } = run
  run.say("The new image did not come up. The machine gets its disk from before back.")
  run.step("resources")
  const machine = await settled(run)
  if (operation.marks.back === undefined) {
    const since = means.now()
    await replaceDisk(run, machine, safety)
    await run.mark("back", String(since))
  }
  await waitUntilReady(run, Number(operation.marks.back))
  await removeVolumes(run)
  const { state = "RUNNING" } = await asItWas(run)
  const error = new ServiceError(why, 409, "The new image did not come up with what was brought along.")
  throw new Returned(unchanged(error), state, { ...before, machineId: machine.id })
}

async function replaceDisk({ means, signal }: OperationRun, { id }: Machine, image: string): Promise<void> {
  // Against accidents of others; this one is none. Set again, also where it was cut off before.
  await means.machines.setDeleteProtection(id, false, { signal })
  await means.machines.rebuild(id, image, { signal })
  await means.machines.setDeleteProtection(id, true, { signal })
}

async function restart(run: OperationRun, { id }: Machine): Promise<void> {
  const { means, signal } = run
  await switchOff(run, await theMachine(run))
  const since = means.now()
  await means.machines.powerOn(id, { signal })
  await waitUntilReady(run, since)
}

/** Off again, where it was off. */
async function asItWas(run: OperationRun): Promise<{ state?: "STOPPED" }> {
  if (!run.operation.wish?.rest) return {}
  await switchOff(run, await theMachine(run))
  return { state: "STOPPED" }
}

/** The machine when the provider is done with it: what a run that was cut off has begun may still go on. */
async function settled(run: OperationRun): Promise<Machine> {
  for (;;) {
    const machine = await theMachine(run)
    if (!machine.busy) return machine
    await sleep(BUSY_MS, undefined, { signal: run.signal })
  }
}

/** Its starts on the way are no steps of their own. */
const quietly = (run: OperationRun): OperationRun => ({ ...run, step: () => {} })
