import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { isOver, type Operation } from "../operations/operation.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import { leadsToDesktop } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Exporter } from "./exporter.ts"
import { operationToOtlp, toOtlp, type Whole } from "./otlp.ts"
import { createRecorder, type Kept, type Recorder } from "./recorder.ts"
import { newSpanId, type Span, type SpanName } from "./span.ts"

const keepScript = loadScript(new URL("lua/keep.lua", import.meta.url))

/** Spans of an operation that are kept: a provider that fails for hours makes more. A creation has about 20. */
const MOST = 300
/** Beside these, those of the browser's way: click, redirect, first picture. */
const OF_THE_WAY = 3
/** A click that is older than the wish by more than this was for something else. */
const CLICK_MS = 60_000
/** Whose page was there goes on to the machine at once; who comes later has not waited for it. */
const AT_ONCE_MS = 60_000
/** A picture that comes later than this after the way to the machine was one of another visit. */
const PICTURE_MS = 120_000

/** Where the time of operations goes: kept with each as long as it is, and sent to a collector where one is set. */
export interface Traces {
  /** For one run of an operation. */
  recorder(operation: Operation, workspace: Workspace, log: Logger): Recorder
  /** Those that are over, in the order in which they began. */
  spansOf(operation: string): Promise<Span[]>
  /** Hands over the span of an operation that has ended. */
  ended(operation: Operation, workspace: Workspace): void
  /**
   * The page of an operation that has just succeeded leads its person to the machine.
   * @param waitedMs since the click that asked for it, by the browser's clock; null where it does not know
   */
  redirected(operation: Operation, workspace: Workspace, waitedMs: number | null): Promise<void>
  /** The viewer of a machine has drawn its first picture. Of any visit: only the first one after an operation counts. */
  firstFrame(workspace: Workspace): Promise<void>
}

/** A step before what begins with it. */
const byBeginning = (a: Span, b: Span) =>
  a.at - b.at || Number(a.parent !== null) - Number(b.parent !== null) || a.until - b.until

export function createTraces({
  redis,
  store,
  exporter,
  now,
}: {
  redis: Redis
  store: { operation(id: string): Promise<Operation | null> }
  exporter: Pick<Exporter, "add"> | null
  now: () => number
}): Traces {
  /** @returns the fields that were not there before */
  async function write(operation: string, spans: Kept[], most: number): Promise<Set<string>> {
    const fields = spans.flatMap(({ field, span }) => [field, JSON.stringify(span)])
    const keys = [KEY.operation(operation), KEY.spansOf(operation)]
    return new Set((await keepScript.run(redis, keys, [most, ...fields])) as string[])
  }

  function send(whole: Omit<Whole, "trace"> & { operation: Operation }, spans: Span[]): void {
    const { trace } = whole.operation
    if (exporter === null || trace === undefined || trace.unsampled) return
    exporter.add(spans.map(span => toOtlp({ ...whole, trace }, span)))
  }

  async function keepOfTheWay(operation: Operation, workspace: Workspace, spans: Omit<Span, "id" | "parent">[]) {
    const whole = spans.map(span => ({ field: span.name, span: { id: newSpanId(), parent: null, ...span } }))
    const kept = await write(operation.id, whole, MOST + OF_THE_WAY)
    send(
      { operation, workspace },
      whole.flatMap(({ field, span }) => (kept.has(field) ? [span] : [])),
    )
  }

  const stretch = (name: SpanName, at: number, until: number) => ({ name, at, until: Math.max(at, until) })

  return {
    recorder: (operation, workspace, log) =>
      createRecorder(now, async spans => {
        // Also where Redis is away: a collector may be there.
        send(
          { operation, workspace },
          spans.map(({ span }) => span),
        )
        await write(operation.id, spans, MOST).catch(error => log.warn({ err: error }, "its times could not be kept"))
      }),
    async spansOf(operation) {
      const kept = await redis.hvals(KEY.spansOf(operation))
      return kept.map(text => JSON.parse(text) as Span).sort(byBeginning)
    },
    ended(operation, workspace) {
      const { trace } = operation
      if (exporter === null || trace === undefined || trace.unsampled || !isOver(operation)) return
      exporter.add([operationToOtlp({ trace, operation, workspace }, operation)])
    },
    async redirected(operation, workspace, waitedMs) {
      const { kind, state, createdAt, finishedAt } = operation
      const at = now()
      if (state !== "succeeded" || !leadsToDesktop(kind) || finishedAt === null || at - finishedAt > AT_ONCE_MS) return
      const clickedAt = waitedMs === null ? null : Math.min(at - waitedMs, createdAt)
      const isOfThis = clickedAt !== null && createdAt - clickedAt <= CLICK_MS
      await keepOfTheWay(operation, workspace, [
        ...(isOfThis ? [stretch("click", clickedAt, createdAt)] : []),
        stretch("redirect", finishedAt, at),
      ])
    },
    async firstFrame(workspace) {
      const at = now()
      const operation = workspace.operation === null ? null : await store.operation(workspace.operation)
      if (operation === null || operation.state !== "succeeded" || !leadsToDesktop(operation.kind)) return
      const text = await redis.hget(KEY.spansOf(operation.id), "redirect")
      if (text === null) return
      const { until } = JSON.parse(text) as Span
      if (at - until <= PICTURE_MS) {
        await keepOfTheWay(operation, workspace, [stretch("first-frame", until, at)])
      }
    },
  }
}
