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

/**
 * Ids of resources that exist at the provider and are missing from the state, by the name the program gives them: an
 * earlier run made them and its answer was lost. The program imports them as they are instead of making them again.
 */
export type Adoptions = Record<string, string>

/** What a repair does not touch. */
export interface Untouched {
  /** The machine is gone without anybody's wish: none is made in its place, since it would have an empty disk. */
  isMachineLost?: boolean
  /** Properties of the machine that stay as they are. */
  leave?: string[]
}

/** A provider's program: spec and secrets in, a Pulumi inline program out. Pure until the engine runs it. */
export type WorkspaceProgram = (
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  adopt?: Adoptions,
  untouched?: Untouched,
) => () => Promise<WorkspaceOutputs & Record<string, unknown>>
