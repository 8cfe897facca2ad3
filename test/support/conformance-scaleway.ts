import { createScalewayMachines } from "../../infra/machines/scaleway.ts"
import { createScalewayApi } from "../../infra/machines/scaleway-api.ts"
import { scalewayProgram } from "../../infra/programs/scaleway.ts"
import { Secret } from "../../infra/secret.ts"
import { ScalewayRefusal } from "../../local-cloud/scaleway/errors.ts"
import type { ProviderUnderTest } from "./conformance.ts"
import { runMocked } from "./mocked-program.ts"
import { applyScaleway } from "./scaleway-apply.ts"
import { SCALEWAY_PROJECT, startTestScaleway, ZONE } from "./scaleway-cloud.ts"
import { scalewaySpec } from "./scaleway-spec.ts"
import { testSecrets } from "./workspace.ts"

/** Scaleway on the local Scaleway: what the program declares is made by its API, since its plugin is not everywhere. */
export async function conformanceOfScaleway(): Promise<ProviderUnderTest> {
  const cloud = await startTestScaleway()
  const { machines, scaleway, image } = cloud
  const spec: ProviderUnderTest["spec"] = given => scalewaySpec({ image, ...given })
  const elsewhere = (endpoint: string, key: string) =>
    createScalewayMachines(
      createScalewayApi({
        ...{ project: SCALEWAY_PROJECT, zones: [ZONE], secretKey: new Secret(key), ipv4Hourly: 0.004 },
        ...{ endpoint, pauseMs: 5 },
      }),
    )
  const nobodys = "00000000-0000-4000-8000-000000000000"
  return {
    ...{ machines, spec, otherSize: "PRO2-XXS" },
    apply: wanted => applyScaleway(cloud, wanted),
    async declared(wanted) {
      const { resources } = await runMocked(scalewayProgram(wanted, testSecrets), {
        "scaleway:instance/server:Server": { publicIps: [{ family: "inet6", address: "2001:bc8::1" }] },
      })
      return resources.filter(({ type }) => type.startsWith("scaleway:")).map(({ name }) => name)
    },
    destroy: async workspace => machines.removeResources(await machines.resources(workspace)),
    unknown: {
      ...{ machine: `${ZONE}/${nobodys}`, volume: `${ZONE}/${nobodys}`, snapshot: nobodys, image: nobodys },
      ...{ region: "xx-moon-1", size: "MOON1-XL" },
    },
    async overload() {
      const refusal = new ScalewayRefusal(429, "too_many_requests", "too many requests, please retry later")
      scaleway.faults.push({ at: /^GET .*\/zones\/[^/]+\/servers$/, refusal, times: 1 })
    },
    async loseNextMachine() {
      scaleway.faults.push({ at: /^POST .*\/zones\/[^/]+\/servers$/, refusal: null, times: 1 })
    },
    async sellOut() {
      scaleway.state.shortages.add(`${ZONE}/${spec().size}`)
    },
    asStranger: () => elsewhere(scaleway.url, "the-key-of-a-stranger"),
    // The port of nobody.
    unreachable: () => elsewhere("http://127.0.0.1:9", "x"),
    complaints: () => cloud.deviations,
    close: () => cloud.close(),
  }
}
