import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Places } from "../../infra/cloud-config.ts"
import type { Heard } from "../../infra/machines/heard.ts"
import { PREFIX } from "../redis/connect.ts"
import { admitsChores, type WeatherNow, worstOf } from "./judge.ts"
import { createWeather, type Weather } from "./weather.ts"

/** The weather of each of the providers' projects: each has a request budget of its own. */
export interface Weathers {
  names: string[]
  of(project: string): Weather
  hear(project: string, heard: Heard): void
  /** What counts for work that goes over all projects. */
  worst(): Promise<WeatherNow>
  /** Projects in which nothing begins now that nobody waits for; null: in all. */
  waiting(): Promise<ReadonlySet<string> | null>
  /**
   * May an operation that met a fault try again now? In a storm one after the other does, whoever they are for: a
   * provider that fails is not asked by all of them, and is known to be well again by one.
   */
  mayTry(project: string): Promise<boolean>
  close(): Promise<void>
}

/** So far apart are tries in a storm. */
export const TURN_MS = 2_000

/** @param clock milliseconds since 1970 */
export function createWeathers(
  redis: Redis,
  log: Logger,
  { names, providerOf }: Pick<Places, "names" | "providerOf">,
  clock: () => number,
): Weathers {
  const all = new Map(names.map(name => [name, createWeather(redis, log, clock, name, providerOf(name))]))
  const of = (project: string) => {
    const found = all.get(project)
    if (!found) throw new Error(`there is no project ${project}`)
    return found
  }
  return {
    names,
    of,
    hear: (project, heard) => of(project).hear(heard),
    worst: async () => worstOf(await Promise.all([...all.values()].map(one => one.now()))),
    async waiting() {
      const found = await Promise.all(
        [...all].map(async ([name, weather]) => (admitsChores(await weather.now()) ? [] : [name])),
      )
      const waiting = new Set(found.flat())
      return waiting.size === all.size ? null : waiting
    },
    async mayTry(project) {
      try {
        if (!(await of(project).now()).isStormy) return true
        return (await redis.set(`${PREFIX}weather:turn:${project}`, "1", "PX", TURN_MS, "NX")) !== null
      } catch (error) {
        log.debug({ err: error }, "the weather could not be asked")
        return true
      }
    },
    close: async () => void (await Promise.all([...all.values()].map(one => one.close()))),
  }
}
