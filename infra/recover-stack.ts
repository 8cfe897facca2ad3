import type { Engine, RunOptions } from "./engine.ts"
import type { Machines } from "./machines/contract.ts"
import { planRecovery, type RecoveryPlan } from "./recover.ts"
import type { StackState } from "./stack-state.ts"

/** What was found and mended; of `foreseeRecovery`, what would be. */
export interface Recovery {
  /** Is there a stack, or was there one? */
  exists: boolean
  /** `put-back`: the state could not be read, its newest backup took its place. `lost`: there was none. */
  state: "whole" | "put-back" | "lost"
  /** Were the real resources read into the state? */
  refreshed: boolean
  /** What remains for the next `up`, and for whoever looks later. */
  plan: RecoveryPlan
}

const NOTHING: RecoveryPlan = { adopt: {}, forget: [], unsure: [], lookAgainAt: null, refresh: false, surplus: [] }

/**
 * Mends what a run that was cut off, a lost file or somebody's hand has left of a stack, as far as that is possible
 * without the workspace's spec. Where there is no stack it costs a look at a file, else five requests to the provider.
 */
export async function recoverStack(
  { engine, machines }: { engine: Engine; machines: Machines },
  workspace: string,
  options: RunOptions = {},
): Promise<Recovery> {
  const done = await engine.putBackState(workspace)
  const state = done === "nothing" ? "whole" : done
  const look = async () => {
    const known = await engine.stateOf(workspace)
    return known === null && state === "whole" ? null : planFor(machines, workspace, known, options)
  }
  let plan = await look()
  const exists = plan !== null
  const refreshed = plan?.refresh ?? false
  if (refreshed) {
    await engine.refresh(workspace, options)
    plan = await look()
  }
  if (plan && plan.forget.length > 0) await engine.forget(workspace, plan.forget)
  return { exists, state, refreshed, plan: plan ?? NOTHING }
}

/** What `recoverStack` would do now; changes nothing. Of a state whose backup would take its place no more is known. */
export async function foreseeRecovery(
  { engine, machines }: { engine: Engine; machines: Machines },
  workspace: string,
  options: RunOptions = {},
): Promise<Recovery> {
  const trouble = await engine.stateTrouble(workspace)
  if (trouble === "put-back") return { exists: true, state: trouble, refreshed: false, plan: NOTHING }
  const known = trouble === "lost" ? null : await engine.stateOf(workspace)
  const state = trouble === "lost" ? "lost" : "whole"
  if (known === null && state === "whole") return { exists: false, state, refreshed: false, plan: NOTHING }
  const plan = await planFor(machines, workspace, known, options)
  return { exists: true, state, refreshed: plan.refresh, plan }
}

async function planFor(
  machines: Machines,
  workspace: string,
  known: StackState | null,
  { signal }: RunOptions,
): Promise<RecoveryPlan> {
  const provider = await machines.resources(workspace, signal ? { signal } : {})
  return planRecovery({ recorded: [], pending: [], writtenAt: 0, ...known, provider }, Date.now())
}
