import type { Engine, RunOptions, RunResult } from "./engine.ts"
import { InfraError } from "./errors.ts"
import type { Machine, Machines } from "./machines/contract.ts"
import { liftProtection } from "./machines/protection.ts"
import type { Adoptions, Untouched } from "./programs/contract.ts"
import { loadProgram } from "./programs/registry.ts"
import { projectOf } from "./projects.ts"
import { recoverStack } from "./recover-stack.ts"
import { LABELS, type WorkspaceSecrets, type WorkspaceSpec } from "./workspace-spec.ts"

/** What a run works with: the engine for state, the provider's machines for what Pulumi does not model. */
export interface Cloud {
  engine: Engine
  /** Of all the provider's projects. */
  machines: Machines
  /** Of one. @throws InfraError `unknown-project` */
  machinesIn(project: string): Machines
}

/** What one project has of it: an operation does not wait for the others. */
export const oneProject = (cloud: Cloud, project: string): Cloud => ({ ...cloud, machines: cloud.machinesIn(project) })

/** Of a workspace's six resources a killed run has at most these under way at a time. */
const MOST_ADOPTIONS = 3
/**
 * What the provider says to a run that rests on a state in which something is missing that was done or removed. Google's
 * plugin refuses to delete what the state calls protected, when the protection was lifted beside it.
 */
const STALE = new Set(["provider-not-found", "provider-refused", "protected"])
/** What the engine says whose state was damaged, or was taken away, under its hands. */
const DAMAGED = new Set(["state-unreadable", "stack-not-found", "state-unreachable"])

/**
 * Brings a workspace's resources to what its spec says. What the provider cannot give (unknown image, sold out) is
 * found before anything is made.
 * @param repair reads the real resources first, so that what was changed by hand is changed back; and says what it leaves
 */
export async function applyWorkspace(
  all: Cloud,
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  options: RunOptions = {},
  repair?: Untouched,
): Promise<RunResult> {
  const cloud = oneProject(all, projectOf(spec))
  const call = options.signal ? { signal: options.signal } : {}
  const { size, region, image, workspace } = spec
  const [program, recovery] = await Promise.all([loadProgram(spec.provider), recoverStack(cloud, workspace, options)])
  // An existing workspace keeps its machine even where its type is sold out or its image is gone by now.
  if (!recovery.exists) {
    await cloud.machines.check({ size, region, image, zone: spec.dns.zone }, call)
    await cloud.machines.prepare({ region }, call)
    await cloud.engine.noteSpec(spec)
  }
  if (repair && recovery.exists && !recovery.refreshed) await cloud.engine.refresh(workspace, options)
  const up = (adopt: Adoptions) => cloud.engine.up(workspace, program(spec, secrets, adopt, repair), options)
  let { adopt } = recovery.plan
  const hadBegun = recovery.plan.unsure.length > 0
  let [isStale, isPutBack] = [false, false]
  for (let tries = 0; ; tries++) {
    try {
      const result = await up(adopt)
      const adopted = Object.keys(adopt).length > 0
      // What had been begun is recorded now, and need not be remembered as begun.
      if (adopted || hadBegun) await recoverStack(cloud, workspace, options)
      // What was taken in as it is may differ from what it shall be.
      const done = adopted ? await up({}) : result
      if (spec.asleep && !repair) await putAwayUnrecorded(cloud, workspace, options)
      return done
    } catch (error) {
      if (!(error instanceof InfraError) || tries === MOST_ADOPTIONS) throw error
      if (STALE.has(error.id) && !isStale) {
        // An earlier run changed or removed something and never heard of it.
        isStale = true
        await cloud.engine.refresh(workspace, options)
        continue
      }
      if (DAMAGED.has(error.id) && !isPutBack) {
        // It was damaged after the look at it. What this run has made is taken in again.
        isPutBack = true
        adopt = (await recoverStack(cloud, workspace, options)).plan.adopt
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

/**
 * Destroys everything a workspace has at the provider, recorded or not, then its stack. Succeeds when it is gone already.
 * @param options.project that it is in; where nobody knows, what is not recorded is looked for in all
 */
export async function destroyWorkspace(
  all: Cloud,
  workspace: string,
  { project, ...options }: RunOptions & { project?: string | undefined } = {},
): Promise<RunResult> {
  const cloud = project === undefined ? all : oneProject(all, project)
  const call = options.signal ? { signal: options.signal } : {}
  const machines = await machinesOf(cloud.machines, workspace, options)
  await Promise.all(machines.map(machine => liftProtection(cloud.machines, machine, call)))
  await cloud.engine.putBackState(workspace)
  const result = await destroyRecorded(cloud.engine, workspace, options)
  // What a lost answer kept out of the state is still the workspace's.
  await cloud.machines.removeResources(await cloud.machines.resources(workspace, call), call)
  return result
}

/**
 * What the plugin makes of something that is gone already: an error, or (of a firewall) a crash of its own. Google's
 * calls protected what no longer is.
 */
const GONE = new Set(["provider-not-found", "engine-died", "protected"])

/**
 * Ends what the state knows, and the state. Where the stack goes under its hands, another run, which was held up and
 * taken for dead, has come to its end: what both were for has come about.
 */
async function destroyRecorded(engine: Engine, workspace: string, options: RunOptions): Promise<RunResult> {
  try {
    return await destroyKnown(engine, workspace, options)
  } catch (error) {
    if (error instanceof InfraError && error.id === "stack-not-found") return { changes: {}, outputs: {} }
    throw error
  }
}

/** What is read anew is not asked for again. A state that was damaged meanwhile gives way to its newest backup. */
async function destroyKnown(engine: Engine, workspace: string, options: RunOptions): Promise<RunResult> {
  try {
    return await engine.destroy(workspace, options)
  } catch (error) {
    if (!(error instanceof InfraError)) throw error
    if (error.id === "state-unreadable") await engine.putBackState(workspace)
    else if (GONE.has(error.id)) await engine.refresh(workspace, options)
    else throw error
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
