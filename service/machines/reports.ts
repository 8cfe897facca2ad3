import type { Redis } from "ioredis"
import { z } from "zod"
import type { Reading } from "../idleness/signals.ts"
import { loadScript } from "../redis/scripts.ts"
import { noteUnrecorded } from "../sweeps/unrecorded-machines.ts"
import { KEY } from "../workspaces/store.ts"
import { MachineCertificate } from "./certificate.ts"
import { Fetch } from "./fetch.ts"

const reportScript = loadScript(new URL("lua/report.lua", import.meta.url))

/** Milliseconds a machine's clock may move against ours between two reports; more, and it was set. */
const CLOCK_STEP_MS = 60_000

/** A server that listens, and which program that is. */
const OpenPort = z.object({ port: z.int().min(1024).max(65_535), program: z.string().max(100) })
export type OpenPort = z.output<typeof OpenPort>

/** What a machine's agent says about itself. The user is root there: none of it is believed beyond its own workspace. */
export const MachineReport = z.looseObject({
  bootId: z.string().max(64),
  ready: z.boolean(),
  checks: z
    .array(z.looseObject({ name: z.string().max(64), ok: z.boolean(), detail: z.string().max(500).optional() }))
    .max(50),
  versions: z.record(z.string().max(64), z.string().max(200)).default({}),
  signals: z.looseObject({}).default({}),
  /** When the agent started, by the machine's clock. */
  startedAt: z.string().max(64).optional(),
  /** One that makes no sense is none. */
  certificate: MachineCertificate.optional().catch(undefined),
  repository: Fetch.optional().catch(undefined),
  /** Web servers of the user that listen. */
  ports: z.array(OpenPort).max(50).optional().catch(undefined),
  /** Its provider can keep its memory while it sleeps. */
  keepsMemory: z.boolean().optional().catch(undefined),
})
export type MachineReport = z.output<typeof MachineReport>

/** Longest report that is taken, in bytes: some dozens of terminals and processes fit. */
export const MAX_REPORT_BYTES = 64 * 1024

export interface MachineReports {
  /** @param reading what the report says of the machine's use */
  save(workspace: string, report: MachineReport, reading: Reading, now: number): Promise<void>
  /** When the machine of a workspace connected and reported last; 0 for never. */
  last(workspace: string): Promise<{ connectedAt: number; reportedAt: number; report: MachineReport | null }>
  connected(workspace: string, now: number): Promise<void>
}

/** @param silentMs how long a machine may say nothing before what it says next is a new beginning */
export function createMachineReports(redis: Redis, silentMs: number): MachineReports {
  /** A record that is gone must not come to life again by what its machine says. */
  const known = (workspace: string) => redis.hexists(KEY.workspace(workspace), "info")
  return {
    async save(workspace, report, { seen, clockOffset }, now) {
      const known = await reportScript.run(
        redis,
        [KEY.workspace(workspace)],
        [
          ...[JSON.stringify(report), now, clockOffset ?? "", CLOCK_STEP_MS, silentMs, report.startedAt ?? ""],
          report.certificate ? JSON.stringify(report.certificate) : "",
          report.repository ? JSON.stringify(report.repository) : "",
          report.keepsMemory ? "1" : "",
          ...Object.entries(seen).flat(),
        ],
      )
      // Its key is one of ours, so it was a workspace of this service: of a later time than the backup that was restored.
      if (known === 0) await noteUnrecorded(redis, workspace, report.versions.image ?? "")
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
