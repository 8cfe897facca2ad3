import type { RunOptions, RunResult } from "../engine.ts"
import type { ProviderName, WorkspaceSecrets, WorkspaceSpec } from "../workspace-spec.ts"
import { applyWorkspace, type Cloud } from "../workspace-stack.ts"
import { lookForDrift, unfinished } from "./look.ts"

/**
 * Properties of the machine, as each program names them, that stay as they are. What is read into the state and not declared
 * would be taken for something that is to be removed.
 */
const LEFT: Record<ProviderName, (isLeft: (id: string) => boolean) => string[]> = {
  hetzner: isLeft => [
    ...(isLeft("machine.size") ? ["serverType"] : []),
    ...(isLeft("machine.backups") ? ["backups"] : []),
    ...["iso", "rescue", "networks"],
  ],
  // For these Google's plugin would stop a machine that is on.
  gcp: isLeft => [
    ...(isLeft("machine.size") ? ["machineType"] : []),
    ...(isLeft("machine.shielded") ? ["shieldedInstanceConfig"] : []),
    ...["serviceAccount", "attachedDisks", "scheduling"],
  ],
  scaleway: () => [],
}

/** What a repair has left, and the engine's run. */
export interface Repaired extends RunResult {
  /** The machine is gone: it needs a restore. */
  isMachineLost: boolean
}

/**
 * Makes a workspace's resources again what its spec says, without a machine that is on noticing: what needs its power
 * or its disk stays as it is, and so does what carries the label and is none of ours. May be cut off anywhere and done
 * again.
 */
export async function repairWorkspace(
  cloud: Cloud,
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  options: RunOptions = {},
): Promise<Repaired> {
  const { differences } = await lookForDrift(cloud, spec.workspace, { power: null, accepted: spec.accepted }, options)
  const ids = new Set(differences.map(one => one.id))
  const isMachineLost = ids.has("machine.there")
  // Of a difference that the service mends, a difference in size is one of a machine that is off.
  const isLeft = (id: string) => differences.some(one => one.id === id && one.mends !== "repair")
  const leave = LEFT[spec.provider](isLeft)
  const result = await applyWorkspace(cloud, spec, secrets, options, { isMachineLost, leave })
  return { ...result, isMachineLost }
}

/**
 * The same by what the stack itself tells, for whoever has no service. Its machine's power stays as it is.
 * @throws InfraError `stack-unfinished`
 */
export async function repairAsRecorded(cloud: Cloud, workspace: string, options: RunOptions = {}): Promise<Repaired> {
  const [record, workspaceKey] = await Promise.all([
    cloud.engine.record(workspace),
    cloud.engine.workspaceKey(workspace),
  ])
  if (record === null || workspaceKey === null) throw unfinished(workspace)
  return repairWorkspace(cloud, record.spec, { workspaceKey }, options)
}
