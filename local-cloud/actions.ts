import { setTimeout as sleep } from "node:timers/promises"
import type { Logger } from "pino"
import type { LocalCloudConfig } from "./config.ts"
import { ApiError } from "./errors.ts"
import { NoRoomError } from "./machines/contract.ts"
import type { ActionRecord, Work } from "./state/records.ts"
import type { Store } from "./state/store.ts"

/** Actions kept; older ended ones are forgotten, as at Hetzner after some time. */
const KEEP = 10_000

export interface NewAction {
  project: string
  command: string
  resources: { id: number; type: string }[]
  work?: Work
  after?: number
  /** Ends in an error whatever the work would do: an injected fault. */
  fail?: boolean
}

/** Long-running work with progress, as Hetzner's API shows it. Records are the queue: a restart goes on with them. */
export interface Actions {
  /** Records an action; it begins after the request's transaction. */
  begin(action: NewAction): ActionRecord
  /** Starts what `begin` has recorded since the last call. Resolves when all of it has ended; nobody has to wait. */
  kick(): Promise<void>
  /** Goes on with what a former process left. */
  resume(): void
  /** Resolves when nothing runs. */
  idle(): Promise<void>
}

/** Does the work of an action; with a failure given it does none, and leaves things as a failed action leaves them. */
export type Worker = (work: Work, failure: Error | null) => Promise<void>

export function createActions(
  config: LocalCloudConfig,
  store: Store,
  worker: Worker,
  now: () => string,
  log: Logger,
): Actions {
  const running = new Map<number, Promise<void>>()
  let begun: { id: number; fail: boolean }[] = []

  async function perform(id: number, fail: boolean): Promise<void> {
    const action = store.get("action", id)
    if (!action) return
    let failure = fail ? new ApiError(500, "action_failed", "Action failed") : null
    if (action.after !== null) {
      await running.get(action.after)
      if (store.get("action", action.after)?.status === "error") {
        failure = new ApiError(500, "action_failed", "the action before this one failed")
      }
    }
    if (config.actionDelayMs > 0) await sleep(config.actionDelayMs)
    try {
      if (action.work) await worker(action.work, failure)
      else if (failure) throw failure
      end(id, null)
    } catch (error) {
      log.warn({ action: action.command, err: error }, "action failed")
      end(id, toActionError(error))
    }
  }

  function end(id: number, error: ActionRecord["error"]): void {
    const action = store.get("action", id)
    if (!action) return
    const ended: ActionRecord = {
      ...action,
      status: error ? "error" : "success",
      progress: 100,
      finished: now(),
      error,
    }
    store.put("action", ended)
  }

  function start(id: number, fail: boolean): Promise<void> {
    const done = perform(id, fail).finally(() => running.delete(id))
    running.set(id, done)
    return done
  }

  return {
    begin({ project, command, resources, work, after, fail = false }) {
      const action: ActionRecord = {
        id: store.nextId(),
        project,
        created: now(),
        command,
        status: "running",
        progress: 0,
        finished: null,
        error: null,
        resources,
        work: work ?? null,
        after: after ?? null,
      }
      store.put("action", action)
      begun.push({ id: action.id, fail })
      forgetOld(store)
      return action
    },
    async kick() {
      const starting = begun
      begun = []
      await Promise.all(starting.map(({ id, fail }) => start(id, fail)))
    },
    resume() {
      for (const action of store.all("action").sort((a, b) => a.id - b.id))
        if (action.status === "running") void start(action.id, false)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values())
    },
  }
}

function toActionError(error: unknown): { code: string; message: string } {
  if (error instanceof NoRoomError) return { code: "resource_unavailable", message: error.message }
  if (error instanceof ApiError) return { code: error.code, message: error.message }
  return { code: "action_failed", message: error instanceof Error ? error.message : String(error) }
}

function forgetOld(store: Store): void {
  if (store.count("action") <= KEEP * 1.1) return
  const actions = store.all("action")
  const ended = actions.filter(action => action.status !== "running").sort((a, b) => a.id - b.id)
  for (const action of ended.slice(0, actions.length - KEEP)) store.remove("action", action.id)
}
