import type { Redis } from "ioredis"
import { KEY } from "../workspaces/store.ts"
import type { WorkspaceSettings } from "../workspaces/workspace.ts"
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
  /** What it is called now, where it is still there: lines bear the name it was created with. */
  async function nameNow({ workspace, name }: WorkspaceUsage): Promise<string> {
    const settings = await redis.hget(KEY.workspace(workspace), "settings")
    return (settings ? (JSON.parse(settings) as WorkspaceSettings).name : undefined) ?? name
  }
  return {
    async of(owner, month) {
      const all = await report(month, owner)
      return Promise.all(all.map(async one => ({ ...one, name: await nameNow(one) })))
    },
    ofAll: async month => Map.groupBy(await report(month, null), one => one.owner),
  }
}
