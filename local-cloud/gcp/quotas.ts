import { machineTypes } from "./catalog.ts"
import { GoogleRefusal } from "./errors.ts"
import type { GcpState, Json } from "./state.ts"

export const regionOfZone = (zone: string) => zone.replace(/-[a-z]$/, "")

/** What is in use in a region, by metric. Machines that are off use no processors, and their disks all the same. */
export function usageOf(state: GcpState, region: string): Record<string, number> {
  const here = (kind: string) => state.all(kind).filter(([path]) => path.split("/")[3]?.startsWith(region))
  const machines = here("instances")
  const on = machines.filter(([, one]) => one.status !== "TERMINATED")
  const cpus = on.map(([path, one]) => {
    const [zone, type] = [path.split("/")[3] as string, String(one.machineType).split("/").at(-1)]
    return machineTypes("", zone).find(({ name }) => name === type)?.guestCpus ?? 0
  })
  const sum = (all: number[]) => all.reduce((total, one) => total + one, 0)
  const addresses = here("addresses").filter(([, one]) => one.ipVersion !== "IPV6")
  return {
    CPUS: sum(cpus),
    INSTANCES: machines.length,
    SSD_TOTAL_GB: sum(here("disks").map(([, one]) => Number(one.sizeGb))),
    STATIC_ADDRESSES: addresses.length,
    IN_USE_ADDRESSES: addresses.filter(([, one]) => one.status === "IN_USE").length,
  }
}

export const quotasOf = (state: GcpState, region: string): Json[] => {
  const usage = usageOf(state, region)
  return Object.entries(state.settings.quotas).map(([metric, limit]) => ({ metric, limit, usage: usage[metric] ?? 0 }))
}

/** @throws GoogleRefusal where there is not so much left */
export function takeQuota(state: GcpState, region: string, wanted: Record<string, number>): void {
  const usage = usageOf(state, region)
  for (const [metric, more] of Object.entries(wanted)) {
    const limit = state.settings.quotas[metric]
    if (limit === undefined || (usage[metric] ?? 0) + more <= limit) continue
    throw new GoogleRefusal(
      403,
      "quotaExceeded",
      `Quota '${metric}' exceeded.  Limit: ${limit.toFixed(1)} in region ${region}.`,
    )
  }
}
