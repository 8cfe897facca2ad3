import type { OperationRun, Outcome } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { apply } from "./machine.ts"

/** Makes a workspace's machine from its image, and everything around it. */
export async function create(run: OperationRun): Promise<Outcome> {
  run.step("check")
  const { machineId, ipv4 } = await apply(run, {}, () => run.step("resources"))
  await waitUntilReady(run)
  return { machineId, ipv4 }
}
