import type { OperationRun, Outcome } from "../operation-run.ts"
import { waitUntilReady } from "../wait-until-ready.ts"
import { apply } from "./machine.ts"

/** Makes a workspace's machine from its image, or from a backup, and everything around it. */
export async function create(run: OperationRun): Promise<Outcome> {
  run.step("check")
  const source = run.operation.wish?.snapshot
  const change = source === undefined ? {} : { image: Number(source) }
  const { machineId, ipv4 } = await apply(run, change, () => run.step("resources"))
  await waitUntilReady(run)
  return { machineId, ipv4 }
}
