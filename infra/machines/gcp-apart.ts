import { InfraError } from "../errors.ts"
import { DISK_ROLE, diskSource, GCP_NETWORK, toGcpLabels } from "../gcp-names.ts"
import type { ApartMachine, Machine, Machines } from "./contract.ts"
import type { GcpApi } from "./gcp-api.ts"
import { ensureNetwork } from "./gcp-network.ts"

/** See `Machines.createApart`. No rule is for it, as it bears no workspace's tag: nothing comes in, and all goes out. */
export async function createGcpApart(
  api: GcpApi,
  machines: Pick<Machines, "get" | "remove">,
  wanted: ApartMachine,
  signal: AbortSignal | undefined,
): Promise<Machine> {
  const { project } = api.project
  const { name, size, region: zone, image, userData } = wanted
  const call = signal ? { signal } : {}
  const id = `projects/${project}/zones/${zone}/instances/${name}`
  await ensureNetwork(api, zone, signal)
  const source = diskSource(image)
  const instanceResource = {
    ...{ name, labels: toGcpLabels(wanted.labels), machineType: `zones/${zone}/machineTypes/${size}` },
    disks: [
      {
        ...{ boot: true, autoDelete: true, deviceName: "boot" },
        initializeParams: {
          diskType: `zones/${zone}/diskTypes/pd-balanced`,
          labels: toGcpLabels({ ...wanted.labels, [DISK_ROLE]: "boot" }),
          ...("image" in source
            ? { sourceImage: `projects/${project}/${source.image}` }
            : { sourceSnapshot: `projects/${project}/${source.snapshot}` }),
        },
      },
    ],
    networkInterfaces: [
      {
        subnetwork: `regions/${zone.replace(/-[a-z]$/, "")}/subnetworks/${GCP_NETWORK}`,
        // An address that comes and goes with it: it must reach the service.
        accessConfigs: [{ type: "ONE_TO_ONE_NAT", name: "external-nat" }],
      },
    ],
    metadata: {
      items: [
        { key: "user-data", value: userData },
        { key: "block-project-ssh-keys", value: "TRUE" },
        { key: "enable-oslogin", value: "FALSE" },
      ],
    },
    shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
  }
  try {
    await api.change(
      ({ instances }, requestId) => instances.insert({ project, zone, requestId, instanceResource }),
      call,
    )
  } catch (error) {
    if (!(error instanceof InfraError) || error.id !== "name-taken") throw error
    // An earlier run made it and never heard of it.
    const found = await machines.get(id, call)
    if (found?.state === "running" || found?.state === "starting" || found?.state === "creating") return found
    // Its creation failed, and its name is in the way of the next one.
    if (found) await machines.remove(id, call)
    throw new InfraError("provider-failed", "retry", "Google's API failed: try again in a few minutes.")
  }
  const made = await machines.get(id, call)
  if (!made) throw new InfraError("provider-failed", "retry", "Google's API failed: try again in a few minutes.")
  return made
}
