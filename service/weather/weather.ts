import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Heard } from "../../infra/machines/heard.ts"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import type { ProviderName } from "../../infra/workspace-spec.ts"
import { PREFIX } from "../redis/connect.ts"
import { judgeWeather, type WeatherFacts, type WeatherNow } from "./judge.ts"

const BUCKET_MS = 10_000
const BUCKETS = 6
/** What was heard is written down at most so often: it costs Redis one trip. */
const WRITE_MS = 1_000

/** What the provider is like, shared by all processes of the service. */
export interface Weather {
  /** Takes note of an answer, or that there was none. */
  hear(heard: Heard): void
  facts(): Promise<WeatherFacts>
  now(): Promise<WeatherNow>
  /** Writes down what was heard. */
  close(): Promise<void>
}

/**
 * @param clock milliseconds since 1970
 * @param project of the provider's, which it is the weather of
 */
export function createWeather(
  redis: Redis,
  log: Logger,
  clock: () => number = Date.now,
  project: string = MAIN_PROJECT,
  provider: ProviderName = "hetzner",
): Weather {
  const key = `${PREFIX}weather:${provider}${project === MAIN_PROJECT ? "" : `:${project}`}`
  const bucket = (at: number) => `${key}:${Math.floor(at / BUCKET_MS)}`
  let [answers, faults] = [0, 0]
  let budget: Heard["budget"] = null
  let timer: NodeJS.Timeout | null = null
  let last: Promise<unknown> = Promise.resolve()

  async function write(): Promise<void> {
    const now = clock()
    const steps = redis.pipeline()
    const at = bucket(now)
    steps.hincrby(at, "answers", answers)
    steps.hincrby(at, "faults", faults)
    steps.pexpire(at, BUCKET_MS * (BUCKETS + 1))
    if (budget) {
      const { limit, remaining, resetAt } = budget
      steps.hset(key, { limit, remaining, resetAt: resetAt.getTime(), toldAt: now })
    }
    answers = 0
    faults = 0
    budget = null
    await steps.exec()
  }
  /** Nothing rests on it: what Redis did not hear is gone. */
  const flush = () => {
    timer = null
    last = write().catch(error => log.debug({ err: error }, "the weather could not be written down"))
  }

  const weather: Weather = {
    hear(heard) {
      answers++
      if (heard.isFault) faults++
      budget = heard.budget ?? budget
      timer ??= setTimeout(flush, WRITE_MS).unref()
    },
    async facts() {
      const now = clock()
      const steps = redis.pipeline()
      steps.hgetall(key)
      for (let back = 0; back < BUCKETS; back++) steps.hmget(bucket(now - back * BUCKET_MS), "answers", "faults")
      const [told, ...counts] = ((await steps.exec()) ?? []).map(([error, value]) => {
        if (error) throw error
        return value
      }) as [Record<string, string>, ...(string | null)[][]]
      const sum = (place: 0 | 1) => counts.reduce((total, one) => total + Number(one[place] ?? 0), 0)
      return {
        budget:
          told.limit === undefined
            ? null
            : {
                ...{ limit: Number(told.limit), remaining: Number(told.remaining), toldAt: Number(told.toldAt) },
                resetAt: new Date(Number(told.resetAt)),
              },
        ...{ answers: sum(0), faults: sum(1), now },
      }
    },
    now: async () => judgeWeather(await weather.facts()),
    async close() {
      if (timer) {
        clearTimeout(timer)
        flush()
      }
      await last
    },
  }
  return weather
}
