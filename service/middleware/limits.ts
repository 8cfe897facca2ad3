import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import type { Services } from "../services.ts"

/** What is limited, and how often a minute it may be done by one user (or one address, for strangers). */
const PER_MINUTE = { "sign-in": 30, create: 30, ticket: 120, token: 30, change: 240, mail: 3 }
export type Limited = keyof typeof PER_MINUTE

export type Limits = (what: Limited, who: string) => Promise<void>

/** @returns a function that counts, and throws ServiceError `too-often` (429) beyond the limit */
export function createLimits({ redis }: Pick<Services, "redis">): Limits {
  const limiters = Object.fromEntries(
    Object.entries(PER_MINUTE).map(([what, points]) => {
      const shared = { points, duration: 60, keyPrefix: `${PREFIX}limit:${what}` }
      // While Redis is away each process counts for itself.
      return [
        what,
        new RateLimiterRedis({ ...shared, storeClient: redis, insuranceLimiter: new RateLimiterMemory(shared) }),
      ]
    }),
  ) as unknown as Record<Limited, RateLimiterRedis>
  return async (what, who) => {
    try {
      await limiters[what].consume(who)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      const retryAfter = Math.max(1, Math.ceil(refused.msBeforeNext / 1000))
      throw new ServiceError("too-often", 429, `That was asked for too often: try again in ${retryAfter} s.`, {
        next: "retry",
        retryAfter,
      })
    }
  }
}
