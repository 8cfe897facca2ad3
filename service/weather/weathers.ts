import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Places } from "../../infra/cloud-config.ts"
import type { Heard } from "../../infra/machines/heard.ts"
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
  close(): Promise<void>
}

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
    close: async () => void (await Promise.all([...all.values()].map(one => one.close()))),
  }
}
