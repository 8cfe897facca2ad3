import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { testSpec } from "./workspace.ts"

/** A valid spec of a workspace at Google Cloud; every field can be given. */
export const gcpSpec = (given: Partial<WorkspaceSpec> = {}): WorkspaceSpec =>
  testSpec({ provider: "gcp", region: "us-central1-a", size: "e2-highmem-2", image: "foozol-image-browser", ...given })
