import type { Redis } from "ioredis"
import { ProofReport } from "../backups/proof-report.ts"
import { KEY } from "../workspaces/store.ts"

/** Seconds a report is kept: longer than its operation goes on. */
const KEPT_S = 24 * 3600

/** What machines report that try backups out, until their operations have read it. */
export interface Proofs {
  /** @returns false when no such trial goes on */
  save(operation: string, report: ProofReport): Promise<boolean>
  of(operation: string): Promise<ProofReport | null>
}

export function createProofs(redis: Redis): Proofs {
  return {
    async save(operation, report) {
      const state = await redis.hget(KEY.operation(operation), "state")
      if (state !== "running" && state !== "queued") return false
      await redis.set(KEY.proofReport(operation), JSON.stringify(report), "EX", KEPT_S)
      return true
    },
    async of(operation) {
      const text = await redis.get(KEY.proofReport(operation))
      return text === null ? null : ProofReport.parse(JSON.parse(text))
    },
  }
}
