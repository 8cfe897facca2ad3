import { createGcpMachines } from "../../infra/machines/gcp.ts"
import { createGcpApi } from "../../infra/machines/gcp-api.ts"
import { gcpProgram } from "../../infra/programs/gcp.ts"
import { Secret } from "../../infra/secret.ts"
import type { ProviderUnderTest } from "./conformance.ts"
import { applyGcp } from "./gcp-apply.ts"
import { GCP_PROJECT, startTestGcp } from "./gcp-cloud.ts"
import { gcpSpec } from "./gcp-spec.ts"
import { runMocked } from "./mocked-program.ts"
import { testSecrets } from "./workspace.ts"

/** Google Cloud on the local Google: what the program declares is made by its API, since its plugin is not everywhere. */
export async function conformanceOfGcp(): Promise<ProviderUnderTest> {
  const cloud = await startTestGcp({ quotas: { CPUS: 72, SSD_TOTAL_GB: 2_000, STATIC_ADDRESSES: 20 } })
  const { machines, gcp } = cloud
  const zones = ["us-central1-a"]
  const elsewhere = (endpoint: string, token: string) =>
    createGcpMachines(
      createGcpApi({ project: GCP_PROJECT, zones, accessToken: new Secret(token), endpoint, pauseMs: 5 }),
    )
  const at = (kind: string, name = "none-of-ours") => `projects/${GCP_PROJECT}/zones/us-central1-a/${kind}/${name}`
  return {
    ...{ machines, spec: gcpSpec, otherSize: "e2-standard-2" },
    async apply(spec) {
      await machines.prepare({ region: spec.region })
      await applyGcp(cloud, spec)
    },
    async declared(spec) {
      const { resources } = await runMocked(gcpProgram(spec, testSecrets))
      return resources.filter(({ type }) => type.startsWith("gcp:")).map(({ name }) => name)
    },
    destroy: async workspace => machines.removeResources(await machines.resources(workspace)),
    unknown: {
      ...{ machine: at("instances"), volume: at("disks"), snapshot: "snapshot-none-of-ours" },
      ...{ region: "us-moon1-a", size: "e2-giant-9", image: "none-of-ours" },
    },
    async overload() {
      const refusal = { status: 403, reason: "rateLimitExceeded", message: "Rate Limit Exceeded" }
      gcp.faults.push({ at: /^GET .*\/aggregated\/instances$/, refusal, times: 1 })
    },
    async loseNextMachine() {
      gcp.faults.push({ at: /^POST .*\/instances$/, refusal: null, times: 1 })
    },
    async sellOut() {
      gcp.state.stockouts.add("us-central1-a")
    },
    asStranger: () => elsewhere(gcp.url, "the-token-of-a-stranger"),
    // The port of nobody.
    unreachable: () => elsewhere("http://127.0.0.1:9", "x"),
    complaints: () => cloud.deviations,
    close: () => cloud.close(),
  }
}
