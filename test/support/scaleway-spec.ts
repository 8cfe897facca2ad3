import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { testSpec } from "./workspace.ts"

/** The UUID of an image that no cloud has: for programs that are only looked at. */
export const SOME_IMAGE = "8f0c3f0e-5a1d-4c55-9a3c-0f3f7f6f2b10"

/** A valid spec of a workspace at Scaleway; every field can be given. */
export const scalewaySpec = (given: Partial<WorkspaceSpec> = {}): WorkspaceSpec =>
  testSpec({ provider: "scaleway", region: "fr-par-1", size: "PRO2-XS", image: SOME_IMAGE, ...given })
