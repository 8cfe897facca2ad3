import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"

/**
 * Says that what is here was restored: a hash of when the backup was `made`, when it was put back (`at`), and whether
 * the workspaces have been compared with the provider since (`settled`). Times are milliseconds since 1970.
 */
export const RESTORED = `${PREFIX}restored`

export interface RestoredMark {
  made: number
  settled: boolean
}

export async function readRestored(redis: Redis): Promise<RestoredMark | null> {
  const [made, settled] = await redis.hmget(RESTORED, "made", "settled")
  return made ? { made: Number(made), settled: settled !== null } : null
}
