import type { Engine, RunOptions, RunResult } from "./engine.ts"
import { InfraError } from "./errors.ts"
import type { Machine, Machines } from "./machines/contract.ts"
import { liftProtection } from "./machines/protection.ts"
import type { Adoptions } from "./programs/contract.ts"
import { loadProgram } from "./programs/registry.ts"
import { recoverStack } from "./recover-stack.ts"
import { LABELS, type WorkspaceSecrets, type WorkspaceSpec } from "./workspace-spec.ts"

/** What a run works with: the engine for state, the provider's machines for what Pulumi does not model. */
export interface Cloud {
  engine: Engine
  machines: Machines
}

/** Of a workspace's six resources a killed run has at most these under way at a time. */
const MOST_ADOPTIONS = 3
/** What the provider says to a run that rests on a state in which something is missing that was done or removed. */
const STALE = new Set(["provider-not-found", "provider-refused"])

/**
 * Brings a workspace's resources to what its spec says. What the provider cannot give (unknown image, sold out) is
 * found before anything is made.
 */
export async function applyWorkspace(
  cloud: Cloud,
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  options: RunOptions = {},
): Promise<RunResult> {
  const call = options.signal ? { signal: options.signal } : {}
  const { size, region, image, workspace } = spec
  const [program, recovery] = await Promise.all([loadProgram(spec.provider), recoverStack(cloud, workspace, options)])
  // An existing workspace keeps its machine even where its type is sold out or its image is gone by now.
  if (!recovery.exists) await cloud.machines.check({ size, region, image, zone: spec.dns.zone }, call)
  const up = (adopt: Adoptions) => cloud.engine.up(workspace, program(spec, secrets, adopt), options)
  let { adopt } = recovery.plan
  const hadBegun = recovery.plan.unsure.length > 0
  let isStale = false
  for (let tries = 0; ; tries++) {
    try {
      const result = await up(adopt)
      const adopted = Object.keys(adopt).length > 0
      // What had been begun is recorded now, and need not be remembered as begun.
      if (adopted || hadBegun) await recoverStack(cloud, workspace, options)
      // What was taken in as it is may differ from what it shall be.
      const done = adopted ? await up({}) : result
      if (spec.asleep) await putAwayUnrecorded(cloud, workspace, options)
      return done
    } catch (error) {
      if (!(error instanceof InfraError) || tries === MOST_ADOPTIONS) throw error
      if (STALE.has(error.id) && !isStale) {
        // An earlier run changed or removed something and never heard of it.
        isStale = true
        await cloud.engine.refresh(workspace, options)
        continue
      }
      if (error.id !== "name-taken") throw error
      // An earlier run made something and never heard of it. What carries our label is ours: take it in and go on.
      // A request of a killed run may even arrive while this looks, hence the repetition.
      adopt = (await recoverStack(cloud, workspace, options)).plan.adopt
      if (Object.keys(adopt).length === 0) throw error
    }
  }
}

/** A machine that the state does not know, of a workspace that has put its own away: the program declares none. */
async function putAwayUnrecorded(cloud: Cloud, workspace: string, options: RunOptions): Promise<void> {
  const call = options.signal ? { signal: options.signal } : {}
  for (const machine of await machinesOf(cloud.machines, workspace, options)) {
    await liftProtection(cloud.machines, machine, call)
    await cloud.machines.remove(machine.id, call)
  }
}

/** What `applyWorkspace` would change; changes nothing. */
export async function previewWorkspace(
  cloud: Cloud,
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  options: RunOptions = {},
): Promise<RunResult> {
  const program = await loadProgram(spec.provider)
  return cloud.engine.preview(spec.workspace, program(spec, secrets), options)
}

/** Destroys everything a workspace has at the provider, recorded or not, then its stack. Succeeds when it is gone already. */
export async function destroyWorkspace(cloud: Cloud, workspace: string, options: RunOptions = {}): Promise<RunResult> {
  const call = options.signal ? { signal: options.signal } : {}
  const machines = await machinesOf(cloud.machines, workspace, options)
  await Promise.all(machines.map(machine => liftProtection(cloud.machines, machine, call)))
  await cloud.engine.putBackState(workspace)
  const result = await destroyRecorded(cloud.engine, workspace, options)
  // What a lost answer kept out of the state is still the workspace's.
  await cloud.machines.removeResources(await cloud.machines.resources(workspace, call), call)
  return result
}

/** The plugin takes some things that are gone already for an error; what is read anew is not asked for again. */
async function destroyRecorded(engine: Engine, workspace: string, options: RunOptions): Promise<RunResult> {
  try {
    return await engine.destroy(workspace, options)
  } catch (error) {
    if (!(error instanceof InfraError) || error.id !== "provider-not-found") throw error
    await engine.refresh(workspace, options)
    return engine.destroy(workspace, options)
  }
}

/** The machines that carry a workspace's label, whatever the state says: none of ours can hide from it. */
export function machinesOf(machines: Machines, workspace: string, options: RunOptions = {}): Promise<Machine[]> {
  return machines.list({ [LABELS.workspace]: workspace }, options.signal ? { signal: options.signal } : {})
}

/** @throws InfraError `stack-not-found` */
export async function requireStack(engine: Engine, workspace: string): Promise<void> {
  if (await engine.exists(workspace)) return
  throw new InfraError(
    "stack-not-found",
    "fail",
    `There is no stack "${workspace}": \`foozol-cloud stack list\` shows the ones there are.`,
  )
}
