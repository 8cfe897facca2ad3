import { z } from "zod"
import type { Machine, MachineState, SidePrices, Size, Snapshot } from "./contract.ts"

/** Hetzner's answers and what they mean in words every provider shares. */

const GIB = 1024 ** 3

// Only the fields that are read; an answer without one of them is a fault worth knowing of.
export const Server = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  locked: z.boolean(),
  created: z.coerce.date(),
  labels: z.record(z.string(), z.string()),
  server_type: z.object({ name: z.string() }),
  primary_disk_size: z.number(),
  location: z.object({ name: z.string() }),
  protection: z.object({ delete: z.boolean() }),
  public_net: z.object({
    ipv4: z.object({ ip: z.string() }).nullable(),
    ipv6: z.object({ ip: z.string() }).nullable(),
  }),
})
export const Image = z.object({
  id: z.number(),
  type: z.string(),
  status: z.string(),
  description: z.string(),
  labels: z.record(z.string(), z.string()),
  image_size: z.number().nullable(),
  disk_size: z.number(),
  architecture: z.string(),
  created: z.coerce.date(),
})
const Amount = z.object({ net: z.coerce.number() })
export const ServerType = z.object({
  name: z.string(),
  cores: z.number(),
  memory: z.number(),
  disk: z.number(),
  architecture: z.enum(["x86", "arm"]),
  deprecation: z.object({ unavailable_after: z.coerce.date() }).nullish(),
  prices: z.array(z.object({ location: z.string(), price_hourly: Amount, price_monthly: Amount })),
  // Came after the description of 2026-02; without it availability shows only when a create is refused.
  locations: z.array(z.object({ name: z.string(), available: z.boolean().optional() })).optional(),
})
export const Pricing = z.object({
  currency: z.string(),
  image: z.object({ price_per_gb_month: Amount }),
  primary_ips: z.array(
    z.object({ type: z.string(), prices: z.array(z.object({ location: z.string(), price_monthly: Amount })) }),
  ),
})
const STATES: Record<string, MachineState> = {
  initializing: "creating",
  starting: "starting",
  running: "running",
  stopping: "stopping",
  off: "off",
  deleting: "deleting",
}

export function toMachine(server: z.output<typeof Server>): Machine {
  return {
    id: String(server.id),
    name: server.name,
    state: STATES[server.status] ?? "unknown",
    size: server.server_type.name,
    diskGb: server.primary_disk_size,
    region: server.location.name,
    ipv4: server.public_net.ipv4?.ip ?? null,
    ipv6: server.public_net.ipv6?.ip.replace(/::\/64$/, "::1") ?? null,
    labels: server.labels,
    busy: server.locked,
    deleteProtection: server.protection.delete,
    createdAt: server.created,
  }
}

export function toSnapshot(image: z.output<typeof Image>): Snapshot {
  const { id, status, description, labels, image_size, disk_size, created } = image
  return {
    id: String(id),
    state: status === "available" || status === "creating" ? status : "unavailable",
    description,
    labels,
    bytes: image_size === null ? null : Math.round(image_size * GIB),
    diskGb: disk_size,
    createdAt: created,
  }
}

export function toSidePrices({ currency, image, primary_ips }: z.output<typeof Pricing>): SidePrices {
  const ipv4 = primary_ips.find(one => one.type === "ipv4")?.prices ?? []
  return {
    currency,
    snapshotGbMonthly: image.price_per_gb_month.net,
    ipv4Monthly: Object.fromEntries(ipv4.map(one => [one.location, one.price_monthly.net])),
  }
}

export function toSize(type: z.output<typeof ServerType>, currency: string, now: Date): Size {
  const availability = new Map(type.locations?.map(location => [location.name, location.available ?? true]))
  const regions = type.prices.map(price => [
    price.location,
    {
      price: { currency, hourly: price.price_hourly.net, monthly: price.price_monthly.net },
      available: availability.get(price.location) ?? type.locations === undefined,
    },
  ])
  return {
    name: type.name,
    cores: type.cores,
    memoryGb: type.memory,
    diskGb: type.disk,
    architecture: type.architecture,
    orderable: !type.deprecation || type.deprecation.unavailable_after > now,
    regions: Object.fromEntries(regions),
  }
}
