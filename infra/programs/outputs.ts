import * as pulumi from "@pulumi/pulumi"
import type { WorkspaceSecrets, WorkspaceSpec } from "../workspace-spec.ts"
import type { WorkspaceOutputs } from "./contract.ts"

/** What a program exports of the resources it has declared. @param made.machineId null while the workspace is asleep */
export const outputsOf = (
  spec: WorkspaceSpec,
  secrets: WorkspaceSecrets,
  made: Pick<WorkspaceOutputs, "machineId" | "ipv4" | "ipv6">,
): WorkspaceOutputs & Record<string, unknown> => ({
  spec,
  ...made,
  hostname: `${spec.dns.name}.${spec.dns.zone}`,
  // Kept so that the program can be rebuilt from its stack alone; encrypted in state.
  workspaceKey: pulumi.secret(secrets.workspaceKey),
})
