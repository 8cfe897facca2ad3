import { backUpHomeBeforeStop } from "../../home-backups/before-stop.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { staysStopped, wake } from "./hibernate.ts"
import { closeViewers, findMachine, switchOff, theMachine, whenFree, whyStopped } from "./machine.ts"
import { sleepSnapshot } from "./snapshots.ts"

/** Switches a machine on that is there; one that was put away after all is made again. */
export async function start(run: OperationRun): Promise<Outcome> {
  const found = await findMachine(run)
  if (found === null && (await sleepSnapshot(run)) !== null) return wake(run)
  const machine = found ?? (await theMachine(run))
  run.step("power")
  await whenFree(run, machine)
  // Where a machine that is off is not kept room for, there may be none when it is to be switched on again.
  await staysStopped(run.means.machines.powerOn(machine.id, { signal: run.signal }))
  await waitUntilReady(run)
  return { machineId: machine.id }
}

/** Shuts a machine down and keeps it. */
export async function stop(run: OperationRun): Promise<Outcome> {
  const machine = await theMachine(run)
  await closeViewers(run, whyStopped(run))
  if (machine.state === "running") await backUpHomeBeforeStop(run)
  run.step("power")
  await switchOff(run, machine)
  return { machineId: machine.id, stopMode: "power-off" }
}
