import type { Engine, RunOptions, RunResult } from "./engine.ts"
import { InfraError } from "./errors.ts"
import type { Machine, Machines } from "./machines/contract.ts"
import { loadProgram } from "./programs/registry.ts"
import { LABELS, type WorkspaceSecrets, type WorkspaceSpec } from "./workspace-spec.ts"

/** What a run works with: the engine for state, the provider's machines for what Pulumi does not model. */
export interface Cloud {
  engine: Engine
  machines: Machines
}

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
  const { size, region, image } = spec
  const [program, exists] = await Promise.all([loadProgram(spec.provider), cloud.engine.exists(spec.workspace)])
  // An existing workspace keeps its machine even where its type is sold out or its image is gone by now.
  if (!exists) await cloud.machines.check({ size, region, image, zone: spec.dns.zone }, call)
  return cloud.engine.up(spec.workspace, program(spec, secrets), options)
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

/** Destroys everything a workspace has at the provider, then its stack. Succeeds when it is gone already. */
export async function destroyWorkspace(cloud: Cloud, workspace: string, options: RunOptions = {}): Promise<RunResult> {
  const call = options.signal ? { signal: options.signal } : {}
  const machines = await machinesOf(cloud.machines, workspace, options)
  await Promise.all(
    machines.filter(one => one.deleteProtection).map(one => cloud.machines.setDeleteProtection(one.id, false, call)),
  )
  return cloud.engine.destroy(workspace, options)
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
