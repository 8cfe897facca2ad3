import type { Logger } from "pino"
import { InfraError } from "../../infra/errors.ts"
import { projectOf } from "../../infra/projects.ts"
import { isOver } from "../operations/operation.ts"
import { admitsChores } from "../weather/judge.ts"
import type { Weathers } from "../weather/weathers.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Looks } from "./looks.ts"
import { dueAt } from "./schedule.ts"

export interface RoundMeans {
  looks: Looks
  store: Pick<WorkspaceStore, "ids" | "get" | "operation">
  weather: Pick<Weathers, "of">
  /** Milliseconds; 0: never. */
  periodMs: number
  log: Logger
  now: () => number
}

/**
 * Looks at every workspace that is due, one after the other, for as long as its provider is well and nobody else needs
 * the engine; what is left is the next round's. @returns how many were looked at
 */
export async function lookRound(means: RoundMeans, signal: AbortSignal): Promise<number> {
  const { looks, weather, log } = means
  if (means.periodMs === 0) return 0
  let looked = 0
  for (const id of await dueIds(means)) {
    if (signal.aborted) break
    const workspace = await means.store.get(id)
    if (!workspace || !admitsChores(await weather.of(projectOf(workspace)).now())) continue
    if (!(await isAtRest(means, workspace))) continue
    try {
      if (await looks.look(workspace, { signal, yields: true })) looked++
    } catch (error) {
      if (signal.aborted || (error instanceof InfraError && error.id === "engine-wanted")) break
      log.warn({ err: error, workspace: id }, "a workspace could not be looked at")
    }
  }
  return looked
}

/** Longest overdue first. */
async function dueIds({ store, looks, periodMs, now }: RoundMeans): Promise<string[]> {
  const ids = await store.ids()
  const newest = await looks.newestOf(ids)
  const found: { id: string; due: number }[] = []
  for (const [at, id] of ids.entries()) {
    const workspace = await store.get(id)
    if (!workspace) continue
    const { createdAt } = workspace
    const look = newest[at] ?? null
    const due = dueAt(
      { id, createdAt, triedAt: look?.triedAt ?? null, hasFailed: look !== null && look.failure !== null },
      periodMs,
    )
    if (due <= now()) found.push({ id, due })
  }
  return found.sort((a, b) => a.due - b.due).map(one => one.id)
}

/** Nothing is going on, and it is known what it shall be. */
async function isAtRest({ store }: RoundMeans, { state, operation }: Workspace): Promise<boolean> {
  if (state !== "RUNNING" && state !== "IDLE" && state !== "STOPPED") return false
  const last = operation ? await store.operation(operation) : null
  return last === null || isOver(last)
}
