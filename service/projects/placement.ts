import type { WeatherNow } from "../weather/judge.ts"

/**
 * Into which project of the provider a new workspace goes. Pure: what is known of each in, one of them out. The first that
 * has room is taken, so that the others stay empty until it is full.
 */

/** What is known of a project. Times are milliseconds since 1970. */
export interface ProjectFacts {
  name: string
  /** Workspaces in it. */
  workspaces: number
  /** How many may be in it; 0: no such number. */
  most: number
  /** When the provider last said that one of its limits is reached; null: never, or something has been removed since. */
  limitMetAt: number | null
  /** Is the golden image there that a machine would be made from? */
  hasImage: boolean
  weather: WeatherNow
}

/** Why nothing new is put into a project. */
export type ClosedBecause = "no-image" | "number-reached" | "limit-met"

/** A limit that was met counts for so long: what is at it may end, or the provider may raise it. */
const LIMIT_MS = 3_600_000
/** Where no project has room, one whose limit was met so long ago is tried again: nobody else finds out that it has. */
const AGAIN_MS = 5 * 60_000
/** With less than this share of its requests left a project is spared, where another one has room. */
const FEW_REQUESTS = 0.1

/** Null where it has room. */
export function closedBecause(
  { workspaces, most, limitMetAt, hasImage }: Omit<ProjectFacts, "name" | "weather">,
  now: number,
): ClosedBecause | null {
  if (!hasImage) return "no-image"
  if (most > 0 && workspaces >= most) return "number-reached"
  return limitMetAt !== null && now - limitMetAt < LIMIT_MS ? "limit-met" : null
}

/**
 * The project for a new workspace; null where all are full.
 * @param projects in the order in which they are filled
 */
export function choosePlace(projects: ProjectFacts[], now: number): string | null {
  const open = projects.filter(one => closedBecause(one, now) === null)
  const calm = open.find(({ weather }) => !weather.isStormy && weather.requestsLeft >= FEW_REQUESTS)
  const found = calm ?? open[0] ?? oldestLimit(projects, now)
  return found?.name ?? null
}

function oldestLimit(projects: ProjectFacts[], now: number): ProjectFacts | undefined {
  return projects
    .filter(one => closedBecause(one, now) === "limit-met" && now - (one.limitMetAt ?? now) >= AGAIN_MS)
    .sort((a, b) => (a.limitMetAt ?? 0) - (b.limitMetAt ?? 0))[0]
}

/** The share of a project that is free, 0 to 1, for whoever must make room in time; 1 where nobody knows what fits. */
export function roomIn(project: Omit<ProjectFacts, "name" | "weather">, now: number): number {
  if (closedBecause(project, now) !== null) return 0
  return project.most === 0 ? 1 : (project.most - project.workspaces) / project.most
}
