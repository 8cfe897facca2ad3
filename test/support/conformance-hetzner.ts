import { openMachines } from "../../infra/cloud-config.ts"
import { hetznerProgram } from "../../infra/programs/hetzner.ts"
import type { ProviderUnderTest } from "./conformance.ts"
import { runMocked } from "./mocked-program.ts"
import { startTestEngine } from "./test-engine.ts"
import { testSecrets, testSpec } from "./workspace.ts"

/**
 * Hetzner on the local cloud, with the real engine and its real plugin.
 * @param kind machines that are records, or that boot
 */
export async function conformanceOfHetzner(kind: "none" | "qemu"): Promise<ProviderUnderTest> {
  const { cloud, pool, config, close } = await startTestEngine(1, kind)
  const spec: ProviderUnderTest["spec"] = given => testSpec({ image: cloud.imageId, ...given })
  const other = (hetzner: { token: string; endpoint: string }) => openMachines({ hetzner })
  return {
    ...{ machines: openMachines(config), spec, otherSize: "cx33" },
    async apply(wanted) {
      await pool.run(config, { action: "apply", spec: wanted, secrets: testSecrets })
    },
    async declared(wanted) {
      const { resources } = await runMocked(hetznerProgram(wanted, testSecrets), {
        "hcloud:index/primaryIp:PrimaryIp": { ipAddress: "203.0.113.9", ipNetwork: "2001:db8::/64" },
      })
      return resources.filter(({ type }) => type.startsWith("hcloud:")).map(({ name }) => name)
    },
    async destroy(workspace) {
      await pool.run(config, { action: "destroy", workspace })
    },
    unknown: {
      machine: "999999",
      volume: "999999",
      snapshot: "999999",
      region: "moon1",
      size: "cx9999",
      image: 999_999,
    },
    async overload() {
      await cloud.addFault({
        match: { method: "GET", path: "/servers$" },
        times: 1,
        fault: { kind: "status", status: 429, code: "rate_limit_exceeded", headers: { "retry-after": "0" } },
      })
    },
    async loseNextMachine() {
      await cloud.addFault({ match: { method: "POST", path: "/servers$" }, times: 1, fault: { kind: "drop_after" } })
    },
    async sellOut() {
      await cloud.addFault({
        match: { method: "POST", path: "/servers$" },
        fault: { kind: "status", status: 412, code: "resource_unavailable" },
      })
    },
    asStranger: () => other({ token: "x".repeat(64), endpoint: cloud.apiUrl }),
    // The port of nobody.
    unreachable: () => other({ token: "x".repeat(64), endpoint: "http://127.0.0.1:9/v1" }),
    complaints: () => [],
    close,
  }
}
