import { powerOf } from "../../drift/looks.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { closeViewers, findMachine, repairResources, switchOff, whenFree } from "./machine.ts"

/**
 * Makes what somebody has changed at the provider again what the workspace's record says; what needs a restore, or a
 * person, is left and said. Everything is read anew by each run, so it may be cut off anywhere.
 */
export async function repair(run: OperationRun): Promise<Outcome> {
  const { means, workspace, operation, signal } = run
  run.step("resources")
  if (operation.wish?.settles) {
    const { id, accepted } = workspace
    await means.pool.run(means.cloud, { action: "accept", workspace: id, accepted }, { signal })
    await lookAgain(run)
    return {}
  }
  const { machineId, ipv4, isMachineLost } = await repairResources(run)
  run.step("power")
  if (!isMachineLost) await asWanted(run)
  await lookAgain(run)
  return { machineId, ...(ipv4 ? { ipv4 } : {}) }
}

async function asWanted(run: OperationRun): Promise<void> {
  const { means, workspace, signal } = run
  const wanted = powerOf(workspace)
  const machine = wanted === null ? null : await findMachine(run)
  if (!machine) return
  await whenFree(run, machine)
  if (wanted === "on" && machine.state === "off") {
    const since = means.now()
    await means.machines.powerOn(machine.id, { signal })
    await waitUntilReady({ ...run, step: () => {} }, since)
  }
  if (wanted === "off" && machine.state !== "off") {
    await closeViewers({ ...run, step: () => {} }, "The workspace is stopped.")
    await switchOff(run, machine)
  }
}

/** What is left is said; that it cannot be seen is no failure of the repair. */
async function lookAgain(run: OperationRun): Promise<void> {
  const { means, workspace, signal, epoch } = run
  run.step("look")
  try {
    const look = await means.looks.look({ ...workspace, epoch }, { signal })
    for (const { words, todo } of look?.differences ?? []) run.say(todo === null ? words : `${words} ${todo}`)
  } catch (error) {
    signal.throwIfAborted()
    run.log.warn({ err: error }, "what was repaired could not be looked at")
  }
}
