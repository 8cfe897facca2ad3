import { type InfraError, toErrorValue } from "../../../infra/errors.ts"
import { ServiceError } from "../../errors.ts"
import { failureIn, type OperationRun, type Outcome, Returned } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { placeOf, wake } from "./hibernate.ts"
import { apply, closeViewers, findMachine, switchOff } from "./machine.ts"

/** Gives a workspace's machine another size with the same disk; one that sleeps wakes with it. */
export async function resize(run: OperationRun): Promise<Outcome> {
  const { means, workspace, operation, signal } = run
  const place = operation.wish?.place
  if (!place) throw new Error("a resize without a size was recorded")
  const machine = await findMachine(run)
  if (!machine) return wake(run)
  const before = placeOf(workspace)
  await closeViewers(run, "It gets another size.")
  run.step("power")
  await switchOff(run, machine)
  run.step("resources")
  try {
    await apply(run, { size: place.size })
  } catch (error) {
    const failure = failureIn(run, error)
    run.log.warn({ err: failure, detail: toErrorValue(failure).detail }, "the size was not to be had; it goes back")
    run.say("It could not be done; the machine goes back to the size it had.")
    await apply(run, { size: before.size })
    await powerOnAndWait(run, machine.id)
    throw new Returned(unchanged(failure), "RUNNING", { machineId: machine.id })
  }
  await powerOnAndWait(run, machine.id)
  return { machineId: machine.id, place: JSON.stringify({ ...place, region: before.region }) }

  async function powerOnAndWait(run: OperationRun, id: string) {
    const since = means.now()
    await means.machines.powerOn(id, { signal })
    await waitUntilReady(run, since)
  }
}

/** What a person is told whose machine is as it was. */
export function unchanged(error: InfraError | ServiceError): ServiceError {
  return new ServiceError(error.id, 409, `${error.message} The workspace is as it was.`, { next: error.next })
}
