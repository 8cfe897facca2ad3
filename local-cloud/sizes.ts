import { SERVER_TYPES } from "./catalog.ts"
import type { LocalCloudConfig } from "./config.ts"
import type { MachineVolume } from "./machines/contract.ts"
import type { VolumeRecord } from "./state/records.ts"

export const GB = 1_000_000_000
const GIB = 1024 ** 3
/** No guest boots in less, whatever the type divided by the scale says. */
const MIN_MEMORY = 256 * 1024 ** 2
const MIN_DISK_GB = 5

/** A server type's size as this host gives it. */
export function scaledSize({ scale }: LocalCloudConfig, typeName: string, diskGb: number) {
  const type = SERVER_TYPES.find(one => one.name === typeName)
  return {
    cores: Math.max(1, Math.round((type?.cores ?? 1) / scale.cores)),
    memoryBytes: Math.max(MIN_MEMORY, Math.round(((type?.memory ?? 1) * GIB) / scale.memory)),
    diskBytes: scaledDisk(scale, diskGb),
  }
}

/** A disk of so many GB as this host gives it, in bytes. */
export const scaledDisk = (scale: LocalCloudConfig["scale"], diskGb: number): number =>
  Math.max(MIN_DISK_GB, Math.round(diskGb / scale.disk)) * GB

/** A volume's size as this host gives it; a volume is at most as large as a disk of that many GB. */
export const scaledVolume = (
  { scale }: LocalCloudConfig,
  { id, size }: Pick<VolumeRecord, "id" | "size">,
): MachineVolume => ({ id, bytes: Math.max(1, Math.round(size / scale.disk)) * GB })
