import type { Redis } from "ioredis"
import { linesOnTheirWay } from "./changes.ts"
import type { Ledger } from "./ledger.ts"
import type { Month } from "./months.ts"
import { usageOf, type WorkspaceUsage } from "./usage.ts"

/** What workspaces were in a month, up to now. */
export interface UsageReport {
  of(owner: string, month: Month): Promise<WorkspaceUsage[]>
  /** Of everybody, by user. */
  ofAll(month: Month): Promise<Map<string, WorkspaceUsage[]>>
}

/** @param now clock in ms */
export function createUsageReport(redis: Redis, ledger: Ledger, now: () => number): UsageReport {
  async function report(month: Month, owner: string | null): Promise<WorkspaceUsage[]> {
    // The stream first: what moves to the ledger meanwhile is then in both, and counts once.
    const moving = (await linesOnTheirWay(redis)).filter(line => owner === null || line.owner === owner)
    // Of two copies the first one counts: the ledger's, which has the live price.
    const lines = [...(await ledger.linesFor(month, owner)), ...moving]
    return usageOf(lines, now()).filter(one => one.month === month)
  }
  return {
    of: (owner, month) => report(month, owner),
    ofAll: async month => Map.groupBy(await report(month, null), one => one.owner),
  }
}
