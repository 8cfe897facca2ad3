import type { Program } from "../../infra/engine.ts"
import { GCP_METADATA } from "../../infra/gcp-names.ts"
import { gcpProgram } from "../../infra/programs/gcp.ts"
import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import type { Json } from "../../local-cloud/gcp/state.ts"
import { GCP_PROJECT, type TestGcp } from "./gcp-cloud.ts"
import { type Registered, runMocked } from "./mocked-program.ts"
import { testSecrets } from "./workspace.ts"

/**
 * Makes at the local Google what the program declares, as Google's plugin of the engine would ask for it: the plugin
 * itself cannot be had everywhere. What is there already stays as it is, unless it is to be mended.
 * @param options.program the one for the spec where nothing is said
 * @param options.mends sets what the program declares of what is there, but for what it says to ignore
 */
export async function applyGcp(
  cloud: TestGcp,
  spec: WorkspaceSpec,
  { program = gcpProgram(spec, testSecrets), mends = false }: { program?: Program; mends?: boolean } = {},
): Promise<void> {
  const { state } = cloud.gcp
  const path = (scope: string, kind: string, name: string) => `projects/${GCP_PROJECT}/${scope}/${kind}/${name}`
  const region = `regions/${spec.region.replace(/-[a-z]$/, "")}`
  const insert = async (scope: string, kind: string, body: Json, ignored: string[] = []) => {
    const there = state.find(path(scope, kind, String(body.name)))
    if (there && mends) mend(kind, there, body, ignored)
    if (there) return
    await cloud.post(`/compute/v1/projects/${GCP_PROJECT}/${scope}/${kind}`, body)
  }
  // What one resource knows only when it is made, others rest on: hence the program is run again after each step.
  const declared = async () => {
    const known = (kind: string, name: string) => state.find(path(region, kind, name))
    const base = `foozol-${spec.workspace}`
    const addresses = { ipv4: known("addresses", `${base}-ipv4`), ipv6: known("addresses", `${base}-ipv6`) }
    const { resources } = await runMocked(program, {
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
  for (const { inputs, ignoreChanges } of of("Instance"))
    await insert(`zones/${spec.region}`, "instances", instance(inputs, spec, region, addresses), ignoreChanges)
  for (const { inputs } of of("RecordSet")) {
    const { managedZone, project: _, ...record } = inputs as Json
    const zone = state.get(`projects/${GCP_PROJECT}/managedZones/${managedZone}`) as unknown as { rrsets: Json[] }
    const there = zone.rrsets.find(one => one.name === record.name && one.type === record.type)
    const own = { A: addresses.ipv4, AAAA: addresses.ipv6 }[String(record.type)]
    const rrdatas = own === undefined ? record.rrdatas : [String(own.address)]
    if (there && mends) Object.assign(there, { ttl: record.ttl, rrdatas })
    if (there) continue
    await cloud.post(`/dns/v1/projects/${GCP_PROJECT}/managedZones/${managedZone}/rrsets`, { ...record, rrdatas })
  }
}

/** As the plugin changes what is there: declared labels are set, others are none of its own. */
function mend(kind: string, there: Json, body: Json, ignored: string[]): void {
  const labels = { ...(there.labels as Json | undefined), ...(body.labels as Json | undefined) }
  if (kind === "firewalls") {
    const { allowed, sourceRanges, targetTags } = body
    Object.assign(there, { allowed, sourceRanges, targetTags, disabled: false })
  }
  if (kind === "addresses") Object.assign(there, { labels })
  if (kind !== "instances") return
  const may = (name: string) => !ignored.includes(name)
  if (may("machineType") && lastPart(there.machineType) !== lastPart(body.machineType)) {
    if (there.status !== "TERMINATED") throw new Error("Google's plugin would stop a machine that is on")
    there.machineType = `${String(there.machineType).replace(/[^/]+$/, "")}${lastPart(body.machineType)}`
  }
  Object.assign(there, { labels, tags: body.tags, deletionProtection: body.deletionProtection })
}

const lastPart = (link: unknown) => String(link).split("/").at(-1)

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
    // All of it is one secret to the engine.
    metadata: {
      items: Object.entries({ "user-data": "told at birth", ...GCP_METADATA }).map(([key, value]) => ({ key, value })),
    },
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
