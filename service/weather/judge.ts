import type { RequestBudget } from "../../infra/machines/heard.ts"

/** What has been heard of a provider lately, by all processes together. Times are milliseconds since 1970. */
export interface WeatherFacts {
  /** The newest budget that an answer told, and when. */
  budget: (RequestBudget & { toldAt: number }) | null
  /** Answers of the last minute, and how many of them were faults: the provider's own, or none in time. */
  answers: number
  faults: number
  now: number
}

export interface WeatherNow {
  /** Share of the request budget that is there, 0 to 1; what has come back since it was told is counted. 1 where nobody knows. */
  requestsLeft: number
  /** More goes wrong than well: what nobody waits for does not begin. */
  isStormy: boolean
}

/** Fewer answers than these say nothing. */
const LEAST_ANSWERS = 5
const STORMY_SHARE = 0.5
/** Whoever is waited for has this share of the budget for themselves. */
const PEOPLES_SHARE = 0.5

export function judgeWeather({ budget, answers, faults, now }: WeatherFacts): WeatherNow {
  return {
    requestsLeft: budget === null ? 1 : left(budget, now),
    isStormy: answers >= LEAST_ANSWERS && faults / answers > STORMY_SHARE,
  }
}

/** May something begin that nobody waits for: a daily backup, a trial, a wave of a roll-out, a sweep? */
export const admitsChores = ({ requestsLeft, isStormy }: WeatherNow): boolean =>
  !isStormy && requestsLeft >= PEOPLES_SHARE

/** The weather that counts for what goes over several projects: the worst of each. */
export const worstOf = (all: WeatherNow[]): WeatherNow => ({
  requestsLeft: Math.min(1, ...all.map(one => one.requestsLeft)),
  isStormy: all.some(one => one.isStormy),
})

/** The budget comes back evenly, one request after the other, and is whole at `resetAt`. */
function left({ limit, remaining, resetAt, toldAt }: NonNullable<WeatherFacts["budget"]>, now: number): number {
  if (limit <= 0) return 0
  const whole = resetAt.getTime() - toldAt
  const back = whole <= 0 ? 1 : Math.min(1, Math.max(0, now - toldAt) / whole)
  return (remaining + (limit - remaining) * back) / limit
}
