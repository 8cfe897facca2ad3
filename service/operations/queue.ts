import { DelayedError, Queue, Worker } from "bullmq"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { PREFIX } from "../redis/connect.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import { LEASE_MS } from "./lease.ts"
import { type Runner, runOperation } from "./run-operation.ts"
import { urgencyOf } from "./urgency.ts"

/** One queue for all providers, within one limit. Its name stays: old and new versions share it while one replaces the other. */
const QUEUE = "operations-hetzner"
/** Until an operation whose workspace is still held by another run is tried again. */
const BUSY_MS = 500
/** So often the queue looks for operations whose worker has died, which is when its lock of LEASE_MS has run out. */
const STALLED_MS = 3_000
/** So often the queue is compared with what there is to do. */
const RECONCILE_MS = 10_000
/** BullMQ joins its parts with colons, so its prefix has none. */
const prefix = `${PREFIX.replace(":", "")}-queue`

/** Where operations wait for a worker. It is a hint: what there is to do stands in the store. */
export interface OperationQueue {
  add(operation: string): Promise<void>
  /** Puts back what is to be done and not in the queue. */
  reconcile(): Promise<void>
  /** How many wait, and how many are worked on. */
  depth(): Promise<{ waiting: number; active: number }>
  /** How many may go on at once at the provider, of all workers together. */
  limit(operations: number): Promise<void>
  close(): Promise<void>
}

/** @param connection a connection for commands, used by the queue alone */
export function createOperationQueue(
  redis: Redis,
  store: Pick<WorkspaceStore, "operation">,
  connection: Redis,
  log: Logger,
): OperationQueue {
  const queue = new Queue(QUEUE, {
    connection,
    prefix,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })
  queue.on("error", error => log.debug({ err: error }, "queue"))
  // The id of the job is the operation's: however often it is added, it is there once.
  const add = async (operation: string) => {
    const found = await store.operation(operation)
    if (found) await queue.add("operation", { operation }, { jobId: operation, priority: urgencyOf(found) })
  }
  return {
    add,
    async reconcile() {
      const toDo = await redis.zrange(KEY.toDo, "0", "-1")
      await Promise.all(toDo.map(add))
    },
    async depth() {
      const counts = await queue.getJobCounts("waiting", "prioritized", "delayed", "active")
      const { waiting = 0, prioritized = 0, delayed = 0 } = counts
      return { waiting: waiting + prioritized + delayed, active: counts.active ?? 0 }
    },
    limit: async operations => void (await queue.setGlobalConcurrency(operations)),
    close: () => queue.close(),
  }
}

/** Works operations off. */
export interface OperationWorker {
  /** Takes no new ones and waits up to `drainMs` for those under way; the rest is left for the next worker. */
  close(drainMs: number): Promise<void>
  /** Takes no new ones for as long as it is to, and goes on with those under way. */
  drain(wanted: boolean): Promise<void>
  /** How many it is at. */
  active(): number
}

/**
 * @param connection a connection for blocking commands, used by the worker alone
 * @param concurrency operations that may go on at once at the provider, here and in all other processes together
 */
export function startOperationWorker(
  runner: Runner,
  queue: OperationQueue,
  connection: Redis,
  concurrency: number,
): OperationWorker {
  const stop = new AbortController()
  let draining = false
  let active = 0
  const worker = new Worker<{ operation: string }>(
    QUEUE,
    async (job, token) => {
      // What was fetched at the moment the draining began is left for others.
      if (!draining) {
        active++
        const end = await runOperation(runner, job.data.operation, stop.signal).finally(() => active--)
        if (end === "over") return
      }
      // By the queue's own clock.
      await job.moveToDelayed(Date.now() + BUSY_MS, token)
      throw new DelayedError()
    },
    {
      connection,
      prefix,
      concurrency,
      lockDuration: LEASE_MS,
      stalledInterval: STALLED_MS,
      // A worker that died is no fault of the operation's.
      maxStalledCount: 1_000,
    },
  )
  worker.on("error", error => runner.log.debug({ err: error }, "worker"))
  worker.on("failed", (_job, error) => runner.log.error({ err: error }, "an operation's run ended badly"))
  const limit = () =>
    void queue.limit(concurrency).catch(error => runner.log.warn({ err: error }, "the queue could not be limited"))
  limit()
  const reconcile = () => {
    // A Redis that was emptied has forgotten it too.
    limit()
    void queue.reconcile().catch(error => runner.log.warn({ err: error }, "the queue could not be compared"))
  }
  const timer = setInterval(reconcile, RECONCILE_MS)
  reconcile()
  return {
    active: () => active,
    async drain(wanted) {
      if (wanted === draining) return
      draining = wanted
      if (wanted) await worker.pause(true)
      else worker.resume()
    },
    async close(drainMs) {
      clearInterval(timer)
      const late = setTimeout(() => stop.abort(), drainMs)
      await worker.close()
      clearTimeout(late)
    },
  }
}
