/** One project's request budget: full at `limit`, each request takes one, one comes back every `3600 / limit` seconds. */
export interface RateLimit {
  /** Takes one request; `ok` is false when there was none left. */
  take(project: string): { ok: boolean; headers: Record<string, string> }
}

/** @param now milliseconds, for tests that turn the clock */
export function createRateLimit(limit: number, now: () => number = Date.now): RateLimit {
  const perMs = limit / 3_600_000
  const budgets = new Map<string, { remaining: number; at: number }>()
  return {
    take(project) {
      const at = now()
      const known = budgets.get(project) ?? { remaining: limit, at }
      const remaining = Math.min(limit, known.remaining + (at - known.at) * perMs)
      const ok = remaining >= 1
      const left = ok ? remaining - 1 : remaining
      budgets.set(project, { remaining: left, at })
      return {
        ok,
        headers: {
          "RateLimit-Limit": String(limit),
          "RateLimit-Remaining": String(Math.floor(left)),
          // When the budget would be full again, seconds since the epoch.
          "RateLimit-Reset": String(Math.ceil((at + (limit - left) / perMs) / 1_000)),
        },
      }
    },
  }
}
