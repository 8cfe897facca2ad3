import type { Redis } from "ioredis"
import { z } from "zod"
import { KEY } from "../workspaces/store.ts"

/** What a machine's agent says about itself. The user is root there: none of it is believed beyond its own workspace. */
export const MachineReport = z.looseObject({
  bootId: z.string().max(64),
  ready: z.boolean(),
  checks: z
    .array(z.looseObject({ name: z.string().max(64), ok: z.boolean(), detail: z.string().max(500).optional() }))
    .max(50),
  versions: z.record(z.string().max(64), z.string().max(200)).default({}),
  signals: z.looseObject({}).default({}),
})
export type MachineReport = z.output<typeof MachineReport>

/** Longest report that is taken, in bytes: some dozens of terminals and processes fit. */
export const MAX_REPORT_BYTES = 64 * 1024

export interface MachineReports {
  save(workspace: string, report: MachineReport, now: number): Promise<void>
  /** When the machine of a workspace connected and reported last; 0 for never. */
  last(workspace: string): Promise<{ connectedAt: number; reportedAt: number; report: MachineReport | null }>
  connected(workspace: string, now: number): Promise<void>
}

export function createMachineReports(redis: Redis): MachineReports {
  /** A record that is gone must not come to life again by what its machine says. */
  const known = (workspace: string) => redis.hexists(KEY.workspace(workspace), "info")
  return {
    async save(workspace, report, now) {
      if (!(await known(workspace))) return
      await redis.hset(KEY.workspace(workspace), { report: JSON.stringify(report), reportedAt: now })
    },
    async last(workspace) {
      const [report, reportedAt, connectedAt] = await redis.hmget(
        KEY.workspace(workspace),
        "report",
        "reportedAt",
        "connectedAt",
      )
      return {
        connectedAt: Number(connectedAt ?? 0),
        reportedAt: Number(reportedAt ?? 0),
        report: report ? (JSON.parse(report) as MachineReport) : null,
      }
    },
    async connected(workspace, now) {
      if (await known(workspace)) await redis.hset(KEY.workspace(workspace), "connectedAt", now)
    },
  }
}
