import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { toErrorValue } from "../../infra/errors.ts"
import { inProject, projectOf } from "../../infra/projects.ts"
import { forOwner, ServiceError } from "../errors.ts"
import { randomToken } from "../keys.ts"
import type { Destination } from "../projects/projects.ts"
import { loadScript } from "../redis/scripts.ts"
import type { Recorder } from "../traces/recorder.ts"
import type { Traces } from "../traces/traces.ts"
import { TURN_MS } from "../weather/weathers.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import { type State, TRANSITIONS } from "../workspaces/transitions.ts"
import type { Failure, Workspace } from "../workspaces/workspace.ts"
import type { Estimates } from "./estimates.ts"
import type { OperationEvents } from "./events.ts"
import { PERFORM } from "./kinds/index.ts"
import { claim, keepLease, RunEnded } from "./lease.ts"
import {
  type Fault,
  isOver,
  type Operation,
  type OperationEvent,
  type OperationState,
  type StepName,
} from "./operation.ts"
import { type Means, type OperationRun, type Outcome, Returned } from "./operation-run.ts"
import { createPatience, type Patience } from "./patience.ts"

const markScript = loadScript(new URL("lua/mark.lua", import.meta.url))
const settleScript = loadScript(new URL("lua/settle.lua", import.meta.url))
const finishScript = loadScript(new URL("lua/finish.lua", import.meta.url))
/** Seconds a finished operation and a terminated workspace are remembered. */
const REMEMBERED_S = 30 * 24 * 3600

const CANCELLED: Failure = {
  id: "cancelled",
  next: "retry",
  message: "It was cancelled; what had been made is still there. Try again to finish it, or delete the workspace.",
}

/** How a run ended: `again` where it has to be taken up later. */
export type RunEnd = "over" | "again"

export interface Runner {
  redis: Redis
  store: WorkspaceStore
  events: OperationEvents
  estimates: Estimates
  traces: Traces
  means: Means
  log: Logger
}

/**
 * Runs an operation to its end, whoever began it: a run that was cut off is simply run again.
 * @param stop aborts when the process stops; the operation is then left for the next worker
 */
export async function runOperation(runner: Runner, id: string, stop: AbortSignal): Promise<RunEnd> {
  const { redis, store, means } = runner
  const asked = await store.operation(id)
  if (!asked) return "over"
  const token = randomToken()
  const claimed = await claim(redis, asked, token, means.now())
  if (claimed.word !== "claimed") return claimed.word === "over" ? "over" : "again"
  const [operation, workspace] = await Promise.all([store.operation(id), store.get(asked.workspace)])
  if (!operation || !workspace) return "over"
  return runClaimed(runner, { operation, workspace, token, epoch: claimed.epoch, stop })
}

interface Claimed {
  operation: Operation
  workspace: Workspace
  token: string
  epoch: number
  stop: AbortSignal
}

async function runClaimed(runner: Runner, claimed: Claimed): Promise<RunEnd> {
  const { means, redis, estimates, traces } = runner
  const { operation, workspace, token, epoch, stop } = claimed
  const log = runner.log.child({ operation: operation.id, workspace: workspace.id, kind: operation.kind, epoch })
  const controller = new AbortController()
  const onStop = () => controller.abort(new RunEnded("shutting-down"))
  if (stop.aborted) onStop()
  stop.addEventListener("abort", onStop, { once: true })
  const lease = keepLease(redis, { operation: operation.id, lease: leaseOf(claimed), token, epoch }, controller)
  const times = traces.recorder(operation, workspace, log)
  const { startedAt, createdAt } = operation
  if (operation.attempts === 1 && startedAt !== null)
    times.add({ name: "queue", at: createdAt, until: Math.max(createdAt, startedAt), once: true })
  const teller = createTeller(runner, operation.id, times, log)
  log.info("operation begins")
  teller.tell({ type: "state", state: "running" })
  try {
    const patience = createPatience(means.config.providerPatienceMs)
    const machines = means.machinesIn(projectOf(workspace))
    const run: OperationRun = {
      ...{ means: { ...means, machines }, workspace, operation, epoch, signal: controller.signal, log },
      ...{ step: teller.step, say: teller.say, times, bears: patience.bears },
      mark: (name, value = "1") => note(runner, claimed, name, value),
      settle: place => settle(runner, claimed, place, run),
    }
    const { state: after = TRANSITIONS[operation.kind].done, ...outcome } = await performPatiently(run, patience)
    controller.signal.throwIfAborted()
    const steps = teller.end("done")
    // Who sees the end sees where the time went.
    await times.flush()
    const word = await finish(runner, claimed, "succeeded", null, outcome, after)
    await tellEnd()
    if (word === "fenced") return "over"
    await teller.tell({ type: "state", state: "succeeded" })
    const seconds = (means.now() - (operation.startedAt ?? means.now())) / 1000
    // A run that was cut off and taken up again says nothing about how long one takes.
    // Nor one that found its machine ready.
    if (operation.attempts === 1 && !operation.wish?.spare)
      await estimates.record(operation.kind, workspace, { seconds, steps, parts: partsOf(times) })
    log.info({ seconds }, "operation succeeded")
    return "over"
  } catch (error) {
    const ended = (error instanceof RunEnded ? error : controller.signal.reason) as unknown
    if (ended instanceof RunEnded && ended.reason !== "cancelled") {
      log.warn({ reason: ended.reason }, "operation is left for the next worker")
      times.endStep(false)
      await times.flush()
      await tellEnd()
      await giveBack(redis, leaseOf(claimed), token)
      return "again"
    }
    teller.end("failed")
    await times.flush()
    const cause = error instanceof Returned ? error.cause : error
    const failure = ended instanceof RunEnded ? CANCELLED : failureOf(cause, log)
    if (!(ended instanceof RunEnded)) await noteFault(runner, claimed, cause)
    const state = ended instanceof RunEnded ? "cancelled" : "failed"
    const after = error instanceof Returned ? error.state : TRANSITIONS[operation.kind].failed
    const outcome = error instanceof Returned ? error.outcome : {}
    const word = await finish(runner, claimed, state, failure, outcome, after)
    await tellEnd()
    if (word !== "fenced") await teller.tell({ type: "state", state, failure })
    return "over"
  } finally {
    lease.end()
    stop.removeEventListener("abort", onStop)
  }

  /** Of one that another has cut off this run is all that there is to tell of its end. */
  async function tellEnd(): Promise<void> {
    const now = await runner.store.operation(operation.id).catch(() => null)
    if (now && isOver(now)) traces.ended(now, workspace)
  }
}

/** Medians of steps are known by themselves. */
const partsOf = (times: Recorder) =>
  Object.fromEntries(Object.entries(times.seconds()).filter(([key]) => !key.startsWith("step:")))

/** Does what it is for, again and again where the provider fails: each run goes on where the one before was cut off. */
async function performPatiently(run: OperationRun, patience: Patience): Promise<Outcome> {
  for (;;) {
    try {
      return await PERFORM[run.operation.kind](run)
    } catch (error) {
      run.signal.throwIfAborted()
      const { id, detail } = toErrorValue(error)
      if (id === "provider-limit") await run.means.projects.limitMet(projectOf(run.workspace))
      const pauseMs = patience.next(error)
      if (pauseMs === null) throw error
      run.log.warn({ id, detail, pauseMs }, "the provider failed; it is tried again")
      run.say(`The cloud has a fault at the moment (${id}). It is tried again in ${Math.ceil(pauseMs / 1000)} s.`)
      await sleep(pauseMs, undefined, { signal: run.signal })
      while (!(await run.means.weathers.mayTry(projectOf(run.workspace)))) {
        if (!patience.bears(error)) throw error
        await sleep(TURN_MS / 2, undefined, { signal: run.signal })
      }
    }
  }
}

/** Tells watchers what happens, in order; telling never ends a run. */
function createTeller(runner: Runner, operation: string, times: Recorder, log: Logger) {
  let current: { name: StepName; begun: number } | null = null
  let last: Promise<void> = Promise.resolve()
  const steps: Partial<Record<StepName, number>> = {}
  type Told = OperationEvent extends infer E ? (E extends { at: number } ? Omit<E, "at"> : never) : never
  const tell = (event: Told) => {
    const stamped = { ...event, at: runner.means.now() } as OperationEvent
    last = last
      .then(() => times.flush())
      .then(() => runner.events.tell(operation, stamped))
      .catch(error => log.warn({ err: error }, "an event could not be told"))
    return last
  }
  const end = (state: "done" | "failed") => {
    times.endStep(state === "failed")
    if (current) {
      steps[current.name] = (runner.means.now() - current.begun) / 1000
      void tell({ type: "step", step: current.name, state })
      current = null
    }
    return steps
  }
  return {
    tell,
    end,
    say: (text: string) => void tell({ type: "log", text }),
    step(name: StepName) {
      if (current?.name === name) return
      end("done")
      times.step(name)
      current = { name, begun: runner.means.now() }
      void tell({ type: "step", step: name, state: "begun" })
    },
  }
}

async function finish(
  { redis, means }: Runner,
  { operation, workspace, token, epoch }: Claimed,
  state: OperationState,
  failure: Failure | null,
  outcome: Outcome,
  after: State | null,
): Promise<"done" | "fenced"> {
  return (await finishScript.run(
    redis,
    [
      KEY.operation(operation.id),
      KEY.holder(workspace.id, operation.kind),
      KEY.leaseOf(workspace.id, operation.kind),
      KEY.toDo,
      KEY.workspacesOf(workspace.owner),
      KEY.workspaces,
      KEY.changes,
      KEY.failed,
      KEY.elsewhere,
    ],
    [
      ...[operation.id, epoch, token, state, after ?? "", means.now()],
      ...[failure ? JSON.stringify(failure) : "", operation.kind, workspace.id, REMEMBERED_S],
      ...Object.entries(outcome).flat(),
    ],
  )) as "done" | "fenced"
}

async function note(
  { redis }: Runner,
  { operation, workspace, token, epoch }: Claimed,
  name: string,
  value: string,
): Promise<void> {
  const keys = [KEY.operation(operation.id), KEY.leaseOf(workspace.id, operation.kind)]
  if ((await markScript.run(redis, keys, [token, epoch, name, value])) !== "noted") throw new RunEnded("lost")
  operation.marks[name] = value
}

/** What went wrong in the operator's words: their own are told less, see `forOwner`. */
async function noteFault(runner: Runner, claimed: Claimed, error: unknown): Promise<void> {
  const { id, message, detail } = toErrorValue(error)
  const fault: Fault = { id, message, detail: detail?.slice(0, 2_000) ?? null }
  // Whoever has been overtaken notes nothing.
  await note(runner, claimed, "fault", JSON.stringify(fault)).catch(() => {})
}

async function settle(
  { redis, means }: Runner,
  { operation, workspace, token, epoch }: Claimed,
  { project, image }: Destination,
  run: OperationRun,
): Promise<"settled" | "full"> {
  const keys = [
    ...[KEY.operation(operation.id), KEY.leaseOf(workspace.id, operation.kind), KEY.workspace(workspace.id)],
    ...[KEY.elsewhere, KEY.workspaces],
  ]
  const place = inProject(project)
  const most = means.config.projectWorkspaces
  const word = await settleScript.run(redis, keys, [token, epoch, workspace.id, place.project ?? "", image, most])
  if (word === "lost") throw new RunEnded("lost")
  if (word === "full") return "full"
  delete operation.marks.leaving
  const { project: _, ...about } = workspace
  run.workspace = { ...about, ...place, image }
  run.means = { ...run.means, machines: means.machinesIn(project) }
  return "settled"
}

const leaseOf = ({ operation, workspace }: Claimed) => KEY.leaseOf(workspace.id, operation.kind)

async function giveBack(redis: Redis, lease: string, token: string): Promise<void> {
  const held = await redis.get(lease).catch(() => null)
  if (held === token) await redis.del(lease).catch(() => {})
}

/** What the owner is told; what only the operator may know goes to the log. */
function failureOf(error: unknown, log: Logger): Failure {
  if (error instanceof ServiceError) return { id: error.id, next: error.next, message: error.message }
  const value = toErrorValue(error)
  log.error({ id: value.id, detail: value.detail }, value.message)
  return forOwner(value)
}
