import { z } from "zod"
import { ApiError } from "./errors.ts"
import type { Kind } from "./state/records.ts"
import type { Store } from "./state/store.ts"

/** What a project has a limit of, by the kind of its records; of images only snapshots and backups count. */
export const LIMITED = ["server", "firewall", "primary_ip", "volume", "image"] as const satisfies Kind[]
export type Limited = (typeof LIMITED)[number]

/** How much of what a project may have, by its name; what is not named has no limit. Hetzner: 50 firewalls. */
export const Limits = z.record(z.string(), z.partialRecord(z.enum(LIMITED), z.int().nonnegative()))
export type Limits = z.output<typeof Limits>

const WORDS: Record<Limited, string> = {
  ...{ server: "server", firewall: "firewall", primary_ip: "primary_ip" },
  ...{ volume: "volume", image: "snapshot" },
}

/** Refuses one more than the project may have. */
export function requireBelowLimit(
  { store, limits }: { store: Pick<Store, "all">; limits: Limits },
  project: string,
  kind: Limited,
): void {
  const limit = limits[project]?.[kind]
  if (limit === undefined || store.all(kind).filter(one => one.project === project).length < limit) return
  throw new ApiError(403, "resource_limit_exceeded", `${WORDS[kind]} limit exceeded`)
}
