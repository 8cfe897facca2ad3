import * as gcp from "@pulumi/gcp"
import * as pulumi from "@pulumi/pulumi"
import {
  DISK_ROLE,
  diskSource,
  GCP_DISK_GB,
  GCP_METADATA,
  GCP_NETWORK,
  managedZone,
  regionOfZone,
  snapshotHour,
  toGcpLabels,
} from "../gcp-names.ts"
import { userData } from "../user-data.ts"
import { type Wanted, type WantedRecord, wantedOf } from "../wanted.ts"
import { resourceNames, type WorkspaceSpec, workspaceLabels } from "../workspace-spec.ts"
import { adopting } from "./adopt.ts"
import type { WorkspaceProgram } from "./contract.ts"
import { outputsOf } from "./outputs.ts"
import { portsRecord } from "./ports-record.ts"

/** Days that Google's own daily snapshots are kept, after the workspace's end too. */
const SNAPSHOT_DAYS = 7

/**
 * Google's rules are for one family of addresses each. Both together are the rule of a workspace: HTTPS, and nothing else,
 * since what no rule allows does not come in.
 */
const FAMILIES = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const
type Family = keyof typeof FAMILIES

/**
 * A workspace at Google Cloud: addresses that outlive the machine, the two halves of its rule, a daily snapshot, the
 * machine with its disk from the golden image, and its DNS records. The network is there before: see `Machines.prepare`.
 */
export const gcpProgram: WorkspaceProgram =
  (spec, secrets, adopt = {}, { isMachineLost = false, leave = [] } = {}) =>
  async () => {
    // At Google a further project is named by its own id, and reached by the same account.
    const there = spec.project === undefined ? {} : { project: spec.project }
    const region = regionOfZone(spec.region)
    const wanted = wantedOf(spec)
    const names = resourceNames(spec)

    const firewall = (family: Family) =>
      new gcp.compute.Firewall(
        `firewall-${family}`,
        {
          ...there,
          name: `${names.firewall}-${family}`,
          // Rules bear no labels.
          description: `foozol-cloud: HTTPS into ${spec.workspace}`,
          network: GCP_NETWORK,
          direction: "INGRESS",
          sourceRanges: [FAMILIES[family]],
          allows: [{ protocol: "tcp", ports: ["443"] }],
          targetTags: [names.server],
        },
        adopting(adopt, `firewall-${family}`),
      )
    const firewalls = [firewall("ipv4"), firewall("ipv6")]

    const address = (family: Family) =>
      new gcp.compute.Address(
        family,
        {
          ...there,
          region,
          name: wanted[family].name,
          labels: toGcpLabels(wanted[family].labels),
          addressType: "EXTERNAL",
          networkTier: "PREMIUM",
          ...(family === "ipv6" ? { ipVersion: "IPV6", ipv6EndpointType: "VM", subnetwork: GCP_NETWORK } : {}),
        },
        // A move to another place brings another address; both would have the same name.
        adopting(adopt, family, { deleteBeforeReplace: true }),
      )
    const ipv4 = address("ipv4")
    const ipv6 = address("ipv6")

    const schedule = new gcp.compute.ResourcePolicy(
      "schedule",
      {
        ...there,
        region,
        name: names.server,
        description: `foozol-cloud: daily snapshots of ${spec.workspace}`,
        snapshotSchedulePolicy: {
          schedule: { dailySchedule: { daysInCycle: 1, startTime: snapshotHour(spec.workspace) } },
          retentionPolicy: { maxRetentionDays: SNAPSHOT_DAYS, onSourceDiskDelete: "APPLY_RETENTION_POLICY" },
          snapshotProperties: { labels: toGcpLabels(workspaceLabels(spec)), storageLocations: region },
        },
      },
      adopting(adopt, "schedule"),
    )

    const machine =
      wanted.machine && !isMachineLost
        ? new gcp.compute.Instance(
            "machine",
            {
              ...there,
              ...instance(spec, wanted.machine, schedule),
              metadata: pulumi.secret({ "user-data": userData(spec, secrets), ...GCP_METADATA }),
              networkInterfaces: [
                {
                  subnetwork: GCP_NETWORK,
                  ...(there.project === undefined ? {} : { subnetworkProject: there.project }),
                  stackType: "IPV4_IPV6",
                  accessConfigs: [{ natIp: ipv4.address, networkTier: "PREMIUM" }],
                  ipv6AccessConfigs: [
                    {
                      name: "external-ipv6",
                      networkTier: "PREMIUM",
                      externalIpv6: ipv6.address,
                      externalIpv6PrefixLength: "96",
                    },
                  ],
                },
              ],
            },
            adopting(adopt, "machine", {
              dependsOn: firewalls,
              // Google replaces a machine whose disk or place is another. That never happens in passing: a new image or new
              // settings reach it by operations that keep the user's data. Where the spec says nothing of power, whoever
              // starts and stops the machine by the API has the say.
              ignoreChanges: [
                ...["metadata", "bootDisk", "zone", "networkInterfaces"],
                ...(spec.power === undefined ? ["desiredStatus"] : []),
                ...leave,
              ],
            }),
          )
        : null

    // The zone is in the main project, wherever the rest is.
    const record = (type: "A" | "AAAA", { ttl, values }: WantedRecord, own: pulumi.Input<string>) =>
      new gcp.dns.RecordSet(
        `record-${type}`,
        {
          managedZone: managedZone(spec.dns.zone),
          name: `${spec.dns.name}.${spec.dns.zone}.`,
          type,
          ttl: ttl ?? spec.dns.ttl,
          rrdatas: values ?? [own],
        },
        adopting(adopt, `record-${type}`),
      )
    if (wanted["record-A"]) record("A", wanted["record-A"], ipv4.address)
    if (wanted["record-AAAA"]) record("AAAA", wanted["record-AAAA"], ipv6.address)
    const { target, name: below, ...ports } = portsRecord(spec)
    new gcp.dns.RecordSet(
      "record-CNAME",
      {
        managedZone: managedZone(spec.dns.zone),
        name: `${below}.${spec.dns.zone}.`,
        ...ports,
        rrdatas: [target],
      },
      adopting(adopt, "record-CNAME"),
    )

    return outputsOf(spec, secrets, { machineId: machine ? machine.id : null, ipv4: ipv4.address, ipv6: ipv6.address })
  }

/** A machine without its addresses and secrets. It has no service account: there is no credential of the cloud on it. */
function instance(
  spec: WorkspaceSpec,
  { name, labels, size, protection }: NonNullable<Wanted["machine"]>,
  schedule: gcp.compute.ResourcePolicy,
): Pick<gcp.compute.InstanceArgs, "name" | "labels" | "tags"> &
  Omit<gcp.compute.InstanceArgs, "networkInterfaces" | "metadata"> {
  const labelled = toGcpLabels(labels)
  return {
    ...{ name, zone: spec.region, labels: labelled, tags: [name], machineType: size },
    bootDisk: {
      // The disk stays when the machine stops, and goes with it.
      autoDelete: true,
      deviceName: "boot",
      initializeParams: {
        ...diskSource(String(spec.image)),
        size: spec.diskGb ?? GCP_DISK_GB,
        type: "pd-balanced",
        labels: toGcpLabels({ ...workspaceLabels(spec), [DISK_ROLE]: "boot" }),
        resourcePolicies: schedule.selfLink,
      },
    },
    scheduling:
      spec.market === "spot"
        ? {
            provisioningModel: "SPOT",
            preemptible: true,
            automaticRestart: false,
            onHostMaintenance: "TERMINATE",
            // What Google takes away is switched off, not deleted: the disk is the user's.
            instanceTerminationAction: "STOP",
          }
        : { provisioningModel: "STANDARD", preemptible: false, automaticRestart: true, onHostMaintenance: "MIGRATE" },
    shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
    desiredStatus: spec.power === "off" ? "TERMINATED" : "RUNNING",
    deletionProtection: protection,
    canIpForward: false,
    // Another size is put in by a stop and a start, as an operation wants it.
    allowStoppingForUpdate: true,
  }
}
