import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { CloudConfig } from "./cloud-config.ts"
import { emptyGroup, inheritedEnvironment, killGroup } from "./engine-command.ts"
import type { EngineEvent } from "./engine-events.ts"
import type { EngineAction, EngineAnswer, EngineRequest } from "./engine-protocol.ts"
import { fromErrorValue, InfraError } from "./errors.ts"

/**
 * Waits before a run whose engine was ended by somebody is done again, milliseconds. Every run can be: it begins with
 * what the one before has left. One that ends again and again has another reason than chance.
 */
const AGAIN_AFTER_MS = [0, 500, 2_000, 5_000]

export interface PoolOptions {
  /** How many engine runs may go on at once; the others wait their turn. */
  size: number
  /** Runs a child may do before a fresh one takes its place. */
  runsPerChild?: number
  /** Folder for V8's compile cache. */
  compileCache?: string
  /**
   * A run that tells nothing for so long is ended, milliseconds. The provider's plugin waits for an answer for ever;
   * what takes longest without a word is a machine that is made from a large snapshot, some minutes.
   */
  silenceMs?: number
}

const SILENCE_MS = 600_000
/** How long a run that was told to end may take for it: the engine's grace, and what follows. */
const ENDING_MS = 60_000

/** Engine children, kept warm: loading the SDK costs as much CPU as a whole run of the engine. */
export interface EnginePool {
  /** Runs an action; again, where child, engine or plugin were ended in the middle of it. @throws InfraError */
  run<T>(config: CloudConfig, action: EngineAction, options?: RunInPool): Promise<T>
  /** Starts the children, so that the first runs need not wait for them. */
  warm(): Promise<void>
  /** Waits for what runs, then ends the children. */
  close(): Promise<void>
  /** Process ids of the children, for measurements. */
  pids(): number[]
}

export interface RunInPool {
  signal?: AbortSignal
  /**
   * Gives way: it begins when nobody else waits for a child, and is ended when somebody has to wait for one. Only for
   * what changes nothing. It ends with `engine-wanted` then.
   */
  yields?: boolean
  onEvent?: (event: EngineEvent) => void
  /** A child has taken it up; told again where that one died and another one takes its place. */
  onTaken?: () => void
}

interface Child {
  process: ChildProcess
  ready: Promise<void>
  runs: number
  busy: boolean
  /** Ends the run going on where that is one that gives way. */
  giveWay: (() => void) | null
  /** Process groups of the engine run going on: what must die with the child. */
  groups: Set<number>
  settle: ((answer: EngineAnswer | { died: true }) => void) | null
  stderr: string
}

export function createEnginePool(options: PoolOptions): EnginePool {
  const { size, runsPerChild = 200, silenceMs = SILENCE_MS } = options
  const children = new Set<Child>()
  const waiting: (() => void)[] = []
  const waitingLast: (() => void)[] = []
  const nextWaiting = () => (waiting.shift() ?? waitingLast.shift())?.()
  let closing = false

  function start(): Child {
    const started = Promise.withResolvers<void>()
    // What it needs to know comes with each request; of our own settings, secrets among them, it gets none.
    const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS } = process.env
    const node = { NODE_OPTIONS, NODE_EXTRA_CA_CERTS }
    const env = {
      ...inheritedEnvironment(),
      ...node,
      ...(options.compileCache ? { FOOZOL_COMPILE_CACHE: options.compileCache } : {}),
    }
    const child: Child = {
      process: spawn(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "engine-run.ts")],
        {
          env,
          stdio: ["pipe", "pipe", "pipe"],
        },
      ),
      ready: started.promise,
      runs: 0,
      busy: false,
      giveWay: null,
      groups: new Set(),
      settle: null,
      stderr: "",
    }
    children.add(child)
    child.process.stdin?.on("error", () => {})
    child.process.stderr?.on("data", chunk => (child.stderr = (child.stderr + chunk).slice(-8_000)))
    createInterface({ input: child.process.stdout as NodeJS.ReadableStream }).on("line", line => {
      const answer = JSON.parse(line) as EngineAnswer
      if ("ready" in answer) started.resolve()
      else child.settle?.(answer)
    })
    child.process.on("error", () => lost(child, started))
    child.process.on("exit", () => lost(child, started))
    return child
  }

  function lost(child: Child, started: PromiseWithResolvers<void>) {
    if (!children.delete(child)) return
    for (const pgid of child.groups) killGroup(pgid)
    started.resolve()
    child.settle?.({ died: true })
    nextWaiting()
  }

  async function acquire({ signal, yields }: RunInPool): Promise<Child> {
    for (;;) {
      signal?.throwIfAborted()
      if (closing) throw new InfraError("shutting-down", "retry", "The service is stopping: try again in a moment.")
      const child = [...children].find(one => !one.busy) ?? (children.size < size ? start() : null)
      if (child) {
        child.busy = true
        await child.ready
        if (children.has(child)) return child
        throw new InfraError("engine-died", "retry", "The engine's process could not be started.", child.stderr)
      }
      if (!yields) [...children].find(one => one.giveWay)?.giveWay?.()
      await new Promise<void>(resolve => (yields ? waitingLast : waiting).push(resolve))
    }
  }

  function release(child: Child) {
    child.busy = false
    child.settle = null
    child.giveWay = null
    child.groups.clear()
    if (++child.runs >= runsPerChild || closing) child.process.stdin?.end()
    nextWaiting()
  }

  async function runOnce<T>(config: CloudConfig, action: EngineAction, options: RunInPool): Promise<T> {
    const { signal, onEvent, yields } = options
    const child = await acquire(options)
    options.onTaken?.()
    let isWanted = false
    const send = (request: EngineRequest) => child.process.stdin?.write(`${JSON.stringify(request)}\n`)
    const abort = () => send({ abort: true })
    const silence = watchSilence(silenceMs, abort, () => child.process.kill("SIGKILL"))
    signal?.addEventListener("abort", abort, { once: true })
    if (yields) {
      child.giveWay = () => {
        child.giveWay = null
        isWanted = true
        abort()
      }
    }
    try {
      return await new Promise<T>((resolve, reject) => {
        child.settle = answer => {
          if ("event" in answer) {
            silence.broken()
            if (answer.event.type === "process") child.groups.add(answer.event.pgid)
            onEvent?.(answer.event)
          } else if ("result" in answer) resolve(answer.result as T)
          else if ("error" in answer) {
            reject(silence.was() ? silent() : isWanted ? engineWanted() : fromErrorValue(answer.error))
          } else {
            // The engine notices that its program is gone, but a killed group leaves no doubt.
            void Promise.all([...child.groups].map(emptyGroup)).then(() =>
              reject(
                new InfraError(
                  "engine-died",
                  "retry",
                  "The engine's process ended in the middle of a run; what it had done is recorded, run it again.",
                  child.stderr,
                ),
              ),
            )
          }
        }
        send({ config, run: action })
      })
    } finally {
      silence.over()
      signal?.removeEventListener("abort", abort)
      release(child)
    }
  }

  return {
    async run<T>(config: CloudConfig, action: EngineAction, options: RunInPool = {}) {
      for (let again = 0; ; again++) {
        try {
          return await runOnce<T>(config, action, options)
        } catch (error) {
          const pause = AGAIN_AFTER_MS[again]
          if (!(error instanceof InfraError) || error.id !== "engine-died" || pause === undefined || closing)
            throw error
          await sleep(pause, undefined, options.signal ? { signal: options.signal } : {})
        }
      }
    },
    async warm() {
      while (children.size < size) start()
      await Promise.all([...children].map(child => child.ready))
    },
    async close() {
      closing = true
      const ends = [...children].map(child => new Promise<void>(resolve => child.process.on("exit", () => resolve())))
      for (const child of children) if (!child.busy) child.process.stdin?.end()
      for (const resume of [...waiting.splice(0), ...waitingLast.splice(0)]) resume()
      await Promise.all(ends)
    },
    pids: () => [...children].flatMap(child => child.process.pid ?? []),
  }
}

const engineWanted = () =>
  new InfraError("engine-wanted", "retry", "Somebody else needed the engine: it is done again when nobody waits.")

const silent = () =>
  new InfraError(
    "provider-silent",
    "retry",
    "The provider did not answer for too long; what was done until then is recorded: try again in a few minutes.",
  )

/** Ends a run that says nothing for too long: asks first, then leaves it no choice. */
function watchSilence(afterMs: number, ask: () => void, force: () => void) {
  let asked = false
  let timer: NodeJS.Timeout
  const wait = (ms: number, then: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(then, ms).unref()
  }
  const begin = () =>
    wait(afterMs, () => {
      asked = true
      ask()
      wait(ENDING_MS, force)
    })
  begin()
  return {
    broken: () => (asked ? undefined : begin()),
    was: () => asked,
    over: () => clearTimeout(timer),
  }
}
