import { hash } from "node:crypto"

/** What the schedule knows of a workspace. Times are milliseconds since 1970. */
export interface Scheduled {
  id: string
  createdAt: number
  /** When it was looked at last, with success or without; null: never. */
  triedAt: number | null
  hasFailed: boolean
}

/** A look that failed is tried again after so long, or after a period where that is shorter. */
const AGAIN_MS = 3600_000

/**
 * When a workspace is to be looked at next: once in each period, at a moment in it that follows from its id, so that all
 * of them together are spread over time. Pure.
 */
export function dueAt({ id, createdAt, triedAt, hasFailed }: Scheduled, periodMs: number): number {
  const since = triedAt ?? createdAt
  if (hasFailed) return since + Math.min(AGAIN_MS, periodMs)
  const part = Number.parseInt(hash("sha1", id, "hex").slice(0, 8), 16) / 2 ** 32
  const phase = Math.floor(part * periodMs)
  return Math.floor((since - phase) / periodMs + 1) * periodMs + phase
}
