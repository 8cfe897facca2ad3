import type { WorkspaceSpec } from "../workspace-spec.ts"
import type { WorkspaceProgram } from "./contract.ts"

/** Programs by provider, loaded when first needed: each brings a provider's whole SDK with it. */
const PROGRAMS: Record<WorkspaceSpec["provider"], () => Promise<WorkspaceProgram>> = {
  hetzner: async () => (await import("./hetzner.ts")).hetznerProgram,
  gcp: async () => (await import("./gcp.ts")).gcpProgram,
  scaleway: async () => (await import("./scaleway.ts")).scalewayProgram,
}

/** The program of a provider. */
export function loadProgram(provider: WorkspaceSpec["provider"]): Promise<WorkspaceProgram> {
  return PROGRAMS[provider]()
}
