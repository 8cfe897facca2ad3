import { z } from "zod"
import { BOOT_OF, fromTags, zonedId } from "../scaleway-names.ts"
import type { Machine, MachineState, Snapshot, Volume } from "./contract.ts"

/** Scaleway's answers and what they mean in words every provider shares. */

/** Sizes are bytes at Scaleway, and a GB is 10⁹ of them. */
export const GB = 1_000_000_000

const Address = z.object({ address: z.string().nullable(), family: z.string() })

export const Server = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  state_detail: z.string().nullish(),
  arch: z.string(),
  commercial_type: z.string(),
  tags: z.array(z.string()),
  protected: z.boolean(),
  creation_date: z.coerce.date(),
  zone: z.string(),
  public_ips: z.array(Address),
  /** By place: the machine starts from the one at `0`. */
  volumes: z.record(z.string(), z.object({ id: z.string(), volume_type: z.string() })),
})
export type Server = z.output<typeof Server>

export const BlockVolume = z.object({
  id: z.string(),
  name: z.string(),
  size: z.number(),
  status: z.string(),
  tags: z.array(z.string()),
  created_at: z.coerce.date(),
  parent_snapshot_id: z.string().nullish(),
  references: z.array(z.object({ product_resource_type: z.string(), product_resource_id: z.string() })),
  zone: z.string(),
})
export type BlockVolume = z.output<typeof BlockVolume>

export const BlockSnapshot = z.object({
  id: z.string(),
  name: z.string(),
  size: z.number(),
  status: z.string(),
  tags: z.array(z.string()),
  created_at: z.coerce.date(),
})
export type BlockSnapshot = z.output<typeof BlockSnapshot>

export const Image = z.object({
  id: z.string(),
  name: z.string(),
  arch: z.string(),
  state: z.string(),
  tags: z.array(z.string()),
  creation_date: z.coerce.date(),
  root_volume: z.object({ id: z.string(), volume_type: z.string() }),
})
export type Image = z.output<typeof Image>

const STATES: Record<string, MachineState> = {
  starting: "starting",
  running: "running",
  stopping: "stopping",
  stopped: "off",
  "stopped in place": "off",
}
/** In these Scaleway takes no other step. */
export const MOVING = new Set(["starting", "stopping"])

/** What a machine starts from. */
export const bootOf = ({ volumes }: Server): string | null => volumes["0"]?.id ?? null

/** @param boot the volume that it starts from, where it is known */
export function toMachine(server: Server, boot: BlockVolume | null): Machine {
  const address = (family: string) => server.public_ips.find(one => one.family === family)?.address ?? null
  return {
    id: zonedId(server.zone, server.id),
    name: server.name,
    state: server.state_detail === "terminating" ? "deleting" : (STATES[server.state] ?? "unknown"),
    size: server.commercial_type,
    diskGb: boot ? boot.size / GB : 0,
    region: server.zone,
    ipv4: address("inet"),
    ipv6: address("inet6"),
    labels: fromTags(server.tags),
    busy: MOVING.has(server.state),
    deleteProtection: server.protected,
    createdAt: server.creation_date,
  }
}

/** A snapshot of ours is an image over a snapshot of a volume; one without the other was cut off. */
export function toSnapshot(image: Image | null, disk: BlockSnapshot | null): Snapshot {
  const { id, tags, name } = (image ?? disk) as Image | BlockSnapshot
  const isWhole = image?.state === "available" && disk !== null && ["available", "in_use"].includes(disk.status)
  const isOnItsWay = image?.state === "creating" || disk?.status === "creating"
  return {
    id,
    state: isWhole ? "available" : isOnItsWay ? "creating" : "unavailable",
    description: name,
    labels: fromTags(tags),
    bytes: isWhole ? disk.size : null,
    diskGb: disk ? disk.size / GB : 0,
    createdAt: image?.creation_date ?? (disk as BlockSnapshot).created_at,
  }
}

/** The machine that has a volume, by its UUID. */
export const userOf = ({ references }: BlockVolume): string | null =>
  references.find(one => one.product_resource_type === "instance_server")?.product_resource_id ?? null

/** Is it, or was it, what a machine starts from, and not a volume beside that? */
export const isBoot = ({ tags }: BlockVolume): boolean => BOOT_OF in fromTags(tags)

export function toVolume(volume: BlockVolume): Volume {
  const user = userOf(volume)
  return {
    id: zonedId(volume.zone, volume.id),
    machine: user === null ? null : zonedId(volume.zone, user),
    labels: fromTags(volume.tags),
  }
}
