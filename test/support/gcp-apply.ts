import { gcpProgram } from "../../infra/programs/gcp.ts"
import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import type { Json } from "../../local-cloud/gcp/state.ts"
import { GCP_PROJECT, type TestGcp } from "./gcp-cloud.ts"
import { type Registered, runMocked } from "./mocked-program.ts"
import { testSecrets } from "./workspace.ts"

/**
 * Makes at the local Google what the program declares, as Google's plugin of the engine would ask for it: the plugin
 * itself cannot be had everywhere. What is there already stays as it is.
 */
export async function applyGcp(cloud: TestGcp, spec: WorkspaceSpec): Promise<void> {
  const { state } = cloud.gcp
  const path = (scope: string, kind: string, name: string) => `projects/${GCP_PROJECT}/${scope}/${kind}/${name}`
  const region = `regions/${spec.region.replace(/-[a-z]$/, "")}`
  const insert = async (scope: string, kind: string, body: Json) => {
    if (state.find(path(scope, kind, String(body.name)))) return
    await cloud.post(`/compute/v1/projects/${GCP_PROJECT}/${scope}/${kind}`, body)
  }
  // What one resource knows only when it is made, others rest on: hence the program is run again after each step.
  const declared = async () => {
    const known = (kind: string, name: string) => state.find(path(region, kind, name))
    const base = `foozol-${spec.workspace}`
    const addresses = { ipv4: known("addresses", `${base}-ipv4`), ipv6: known("addresses", `${base}-ipv6`) }
    const { resources } = await runMocked(gcpProgram(spec, testSecrets), {
      "gcp:compute/address:Address": { address: "to be known" },
      "gcp:compute/resourcePolicy:ResourcePolicy": {
        selfLink: String(known("resourcePolicies", base)?.selfLink ?? "to be known"),
      },
    })
    return { of: (part: string) => resources.filter(one => one.type.endsWith(`:${part}`)), addresses }
  }
  const first = await declared()
  for (const { inputs } of first.of("Firewall")) {
    const { allows, project: _, ...rule } = inputs as Json & { allows: { protocol: string; ports: string[] }[] }
    const allowed = allows.map(({ protocol, ports }) => ({ IPProtocol: protocol, ports }))
    await insert("global", "firewalls", { ...rule, network: `global/networks/${rule.network}`, allowed })
  }
  for (const { inputs } of first.of("Address")) {
    const { region: _, project: __, subnetwork, ...address } = inputs as Json
    await insert(region, "addresses", {
      ...address,
      ...(subnetwork ? { subnetwork: `${region}/subnetworks/${subnetwork}` } : {}),
    })
  }
  for (const { inputs } of first.of("ResourcePolicy")) await insert(region, "resourcePolicies", policy(inputs))
  const { of, addresses } = await declared()
  for (const { inputs } of of("Instance"))
    await insert(`zones/${spec.region}`, "instances", instance(inputs, spec, region, addresses))
  for (const { inputs } of of("RecordSet")) {
    const { managedZone, project: _, ...record } = inputs as Json
    const zone = state.get(`projects/${GCP_PROJECT}/managedZones/${managedZone}`) as unknown as { rrsets: Json[] }
    if (zone.rrsets.some(one => one.name === record.name && one.type === record.type)) continue
    const own = record.type === "A" ? addresses.ipv4 : addresses.ipv6
    await cloud.post(`/dns/v1/projects/${GCP_PROJECT}/managedZones/${managedZone}/rrsets`, {
      ...record,
      rrdatas: [String(own?.address)],
    })
  }
}

function policy(inputs: Json): Json {
  const {
    snapshotSchedulePolicy: of,
    region: _,
    project: __,
    ...rest
  } = inputs as Json & { snapshotSchedulePolicy: Json }
  const properties = of.snapshotProperties as Json
  return {
    ...rest,
    snapshotSchedulePolicy: {
      ...of,
      snapshotProperties: { ...properties, storageLocations: [properties.storageLocations] },
    },
  }
}

type Known = Record<"ipv4" | "ipv6", Json | undefined>

function instance(inputs: Registered["inputs"], spec: WorkspaceSpec, region: string, addresses: Known): Json {
  const { name, labels, machineType, scheduling, shieldedInstanceConfig, deletionProtection, canIpForward } = inputs
  const boot = inputs.bootDisk as Json & { initializeParams: Json }
  const { image, snapshot, size, type, labels: diskLabels, resourcePolicies } = boot.initializeParams
  const zone = `zones/${spec.region}`
  return {
    ...{ name, labels, scheduling, shieldedInstanceConfig, deletionProtection, canIpForward },
    machineType: `${zone}/machineTypes/${machineType}`,
    tags: { items: inputs.tags },
    metadata: { items: [{ key: "user-data", value: "told at birth" }] },
    disks: [
      {
        ...{ boot: true, autoDelete: boot.autoDelete, deviceName: boot.deviceName },
        initializeParams: {
          ...{ diskSizeGb: String(size), diskType: `${zone}/diskTypes/${type}`, labels: diskLabels },
          ...(image ? { sourceImage: image } : { sourceSnapshot: snapshot }),
          resourcePolicies: [resourcePolicies],
        },
      },
    ],
    networkInterfaces: (inputs.networkInterfaces as Json[]).map(nic => ({
      ...{ subnetwork: `${region}/subnetworks/${nic.subnetwork}`, stackType: nic.stackType },
      accessConfigs: [{ natIP: addresses.ipv4?.address, networkTier: "PREMIUM", type: "ONE_TO_ONE_NAT" }],
      ipv6AccessConfigs: [
        {
          name: "external-ipv6",
          networkTier: "PREMIUM",
          type: "DIRECT_IPV6",
          externalIpv6: addresses.ipv6?.address,
          externalIpv6PrefixLength: 96,
        },
      ],
    })),
  }
}
