/** What this host promises to machines: cores by an overcommit, disk by a quota. Memory is the driver's to weigh. */
import { availableParallelism } from "node:os"
import type { Context } from "./context.ts"
import { ApiError } from "./errors.ts"
import { NoRoomError } from "./machines/contract.ts"
import { GB, scaledDisk, scaledSize, scaledVolume } from "./sizes.ts"
import type { ServerRecord } from "./state/records.ts"

type Known = Pick<Context, "store" | "config">

/** Cores and disk promised, and how much of each may be; null: no limit is set. */
export interface Promised {
  cores: { promised: number; most: number | null }
  disk: { promisedBytes: number; mostBytes: number | null }
}

export function promised(context: Known & Pick<Context, "starting">): Promised {
  const { diskGb } = context.config.capacity
  return {
    cores: { promised: promisedCores(context, null), most: mostCores(context.config) },
    disk: { promisedBytes: promisedDisk(context), mostBytes: diskGb === null ? null : diskGb * GB },
  }
}

/**
 * Refuses a machine whose cores would be more than may be promised. A server that is off has none.
 * @param server the one that is to start; null for one that does not exist yet
 * @throws NoRoomError
 */
export function checkCores(
  context: Known & Pick<Context, "starting">,
  server: Pick<ServerRecord, "id"> | null,
  cores: number,
): void {
  const most = mostCores(context.config)
  if (most === null) return
  const others = promisedCores(context, server?.id ?? null)
  if (others + cores <= most) return
  throw new NoRoomError(
    `A machine with ${words(cores)} does not fit: ${others} of the ${most} that this host promises belong to machines ` +
      "that are on; stop a machine or take a smaller one.",
  )
}

/**
 * Refuses more disk than the quota has left. To be called in the transaction that promises it.
 * @param more bytes
 * @throws ApiError `resource_limit_exceeded`
 */
export function requireDisk(context: Known, more: number): void {
  const { diskGb } = context.config.capacity
  if (diskGb === null || more <= 0) return
  const already = promisedDisk(context)
  if (already + more <= diskGb * GB) return
  throw new ApiError(
    403,
    "resource_limit_exceeded",
    `disk limit exceeded: ${gb(more)} are wanted, and ${gb(already)} of ${diskGb} GB are promised to disks, volumes and ` +
      "snapshots; remove some, or have the operator raise the quota",
  )
}

function mostCores({ capacity }: Context["config"]): number | null {
  return capacity.coresPerCore === null ? null : Math.floor(capacity.coresPerCore * availableParallelism())
}

function promisedCores({ store, config, starting }: Known & Pick<Context, "starting">, except: number | null): number {
  return store
    .all("server")
    .filter(({ id, status }) => id !== except && (status === "running" || starting.has(id)))
    .reduce((sum, { type, diskGb }) => sum + scaledSize(config, type, diskGb).cores, 0)
}

/** A snapshot that is being made counts as its whole disk, one that is there as what it takes. */
function promisedDisk({ store, config }: Known): number {
  const disks = store.all("server").map(one => scaledDisk(config.scale, one.diskGb))
  const volumes = store.all("volume").map(one => scaledVolume(config, one).bytes)
  const images = store
    .all("image")
    .filter(({ type }) => type !== "system")
    .map(({ status, imageSize, diskSize }) =>
      status === "creating" ? scaledDisk(config.scale, diskSize) : (imageSize ?? 0) * GB,
    )
  return [...disks, ...volumes, ...images].reduce((sum, bytes) => sum + bytes, 0)
}

const words = (cores: number) => (cores === 1 ? "1 core" : `${cores} cores`)
const gb = (bytes: number) => `${(bytes / GB).toFixed(1)} GB`
