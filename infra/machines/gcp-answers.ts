import type { google } from "@google-cloud/compute/build/protos/protos.js"
import { DISK_ROLE, fromGcpLabels } from "../gcp-names.ts"
import type { Machine, MachineState, Snapshot, Volume } from "./contract.ts"

/** Google's answers and what they mean in words every provider shares. */

export type Instance = google.cloud.compute.v1.IInstance
export type Disk = google.cloud.compute.v1.IDisk
export type GcpSnapshot = google.cloud.compute.v1.ISnapshot
export type GcpImage = google.cloud.compute.v1.IImage

const STATES: Record<string, MachineState> = {
  PROVISIONING: "creating",
  STAGING: "starting",
  RUNNING: "running",
  PENDING_STOP: "stopping",
  STOPPING: "stopping",
  SUSPENDING: "stopping",
  SUSPENDED: "off",
  STOPPED: "off",
  TERMINATED: "off",
}
/** In these Google takes no other step. */
const BUSY = new Set([
  "PROVISIONING",
  "STAGING",
  "PENDING_STOP",
  "STOPPING",
  "SUSPENDING",
  "REPAIRING",
  "DEPROVISIONING",
])

/** A name within a project, as Pulumi has it: `projects/P/zones/Z/instances/N` of a link. */
export const pathOf = (link: string): string => link.replace(/^.*?\/(?=projects\/)/, "")

/** Place and name of a machine or disk, by its id. Ids without a place are of nobody. */
export function placed(id: string): { zone: string; name: string } {
  const [, zone = "none", name = "none"] = /\/zones\/([^/]+)\/[a-z]+\/([^/]+)$/.exec(id) ?? []
  return { zone, name }
}

/** The last part of a link. */
export const lastOf = (link: string | null | undefined): string => (link ?? "").split("/").at(-1) as string

export const bootOf = ({ disks }: Instance) => disks?.find(disk => disk.boot) ?? null

export function toMachine(instance: Instance): Machine {
  const [nic] = instance.networkInterfaces ?? []
  return {
    id: pathOf(instance.selfLink ?? ""),
    name: instance.name ?? "",
    state: STATES[String(instance.status)] ?? "unknown",
    size: lastOf(instance.machineType),
    diskGb: Number(bootOf(instance)?.diskSizeGb ?? 0),
    region: lastOf(instance.zone),
    ipv4: nic?.accessConfigs?.[0]?.natIP || null,
    ipv6: nic?.ipv6AccessConfigs?.[0]?.externalIpv6 || null,
    labels: fromGcpLabels(instance.labels ?? {}),
    busy: BUSY.has(String(instance.status)),
    deleteProtection: instance.deletionProtection ?? false,
    createdAt: new Date(instance.creationTimestamp ?? 0),
  }
}

export function toSnapshot({
  name,
  status,
  description,
  labels,
  storageBytes,
  diskSizeGb,
  creationTimestamp,
}: GcpSnapshot): Snapshot {
  return {
    id: name ?? "",
    state:
      status === "READY" ? "available" : status === "CREATING" || status === "UPLOADING" ? "creating" : "unavailable",
    description: description ?? "",
    labels: fromGcpLabels(labels ?? {}),
    // Google counts what the copies of a disk before it have not.
    bytes: status === "READY" ? Number(storageBytes ?? 0) : null,
    diskGb: Number(diskSizeGb ?? 0),
    createdAt: new Date(creationTimestamp ?? 0),
  }
}

/** An image, as elsewhere a snapshot that machines are made from. */
export function imageToSnapshot({
  name,
  status,
  description,
  labels,
  archiveSizeBytes,
  diskSizeGb,
  creationTimestamp,
}: GcpImage): Snapshot {
  return {
    id: name ?? "",
    state: status === "READY" ? "available" : status === "PENDING" ? "creating" : "unavailable",
    description: description ?? "",
    labels: fromGcpLabels(labels ?? {}),
    bytes: archiveSizeBytes == null ? null : Number(archiveSizeBytes),
    diskGb: Number(diskSizeGb ?? 0),
    createdAt: new Date(creationTimestamp ?? 0),
  }
}

export function toVolume({ selfLink, users, labels }: Disk): Volume {
  const { [DISK_ROLE]: _, ...meant } = fromGcpLabels(labels ?? {})
  const [user] = users ?? []
  return { id: pathOf(selfLink ?? ""), machine: user ? pathOf(user) : null, labels: meant }
}
