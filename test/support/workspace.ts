import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { CloudConfig, HetznerCloud } from "../../infra/cloud-config.ts"
import { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { readEngineRecord } from "../../tools/setup/engine.ts"

/** The zone test workspaces get their names in. */
export const TEST_ZONE = "desk.example"

export const testSecrets = { workspaceKey: "k".repeat(43) }

/** A valid spec; every field can be given. */
export function testSpec(given: Partial<WorkspaceSpec> = {}): WorkspaceSpec {
  const workspace = given.workspace ?? "blue-otter"
  return WorkspaceSpec.parse({
    version: 1,
    workspace,
    owner: "gh-1001",
    epoch: 1,
    profile: "browser",
    provider: "hetzner",
    region: "fsn1",
    size: "cx23",
    image: 1,
    dns: { name: workspace, zone: TEST_ZONE },
    service: "http://127.0.0.1:8080",
    ...given,
  })
}

/** The configuration of an engine that works at Hetzner, or at the local cloud. */
export type HetznerConfig = CloudConfig & { hetzner: HetznerCloud }

/** An engine whose state lies in a folder of the test, on a local cloud. */
export function testEngineConfig(directory: string, cloud: { apiUrl: string; token: string }): HetznerConfig {
  const engine = readEngineRecord()
  if (!engine) throw new Error("The engine is not set up: run `npm run setup`.")
  return {
    pulumi: engine.pulumi.path,
    pulumiVersion: engine.pulumi.version,
    home: engine.home,
    workDirectory: join(directory, "engine"),
    backendUrl: pathToFileURL(join(directory, "state")).href,
    backendEnv: {},
    passphrase: "a passphrase for tests",
    hetzner: { token: cloud.token, endpoint: cloud.apiUrl },
  }
}
