import type { WorkspaceSecrets, WorkspaceSpec } from "../workspace-spec.ts"

/** What every workspace program exports; values may be Pulumi outputs. */
export interface WorkspaceOutputs {
  spec: WorkspaceSpec
  machineId: unknown
  ipv4: unknown
  ipv6: unknown
  hostname: string
  workspaceKey: unknown
}

/** A provider's program: spec and secrets in, a Pulumi inline program out. Pure until the engine runs it. */
export type WorkspaceProgram = (
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
) => () => Promise<WorkspaceOutputs & Record<string, unknown>>
