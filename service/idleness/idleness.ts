import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { ServiceError } from "../errors.ts"
import type { MachineChannel, Order } from "../machines/channel.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import { SHIFTS, type State } from "../workspaces/transitions.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { Judgement } from "./judge.ts"
import { nextStep, type Step } from "./next-step.ts"
import { type IdleRecord, judgeRecord, readRecord } from "./record.ts"
import type { IdlenessSettings } from "./settings.ts"
import { IDLENESS } from "./words.ts"

const scripts = {
  move: loadScript(new URL("lua/move.lua", import.meta.url)),
  see: loadScript(new URL("lua/see.lua", import.meta.url)),
}

/** What people on the machine are told. */
const REASON = "nobody has used it for a while"

/** How a workspace is used: judged, moved between RUNNING and IDLE, and stopped when it is time. */
export interface Idleness {
  /** A person has come, or has asked for it: it is in use from now on. */
  visited(workspace: string): Promise<void>
  /** Judges one workspace and does what follows. Safe to call at any time from anywhere. */
  look(workspace: string): Promise<Step["do"]>
  /** The record and how it is judged now; null when nothing goes on there that could be judged. */
  activity(workspace: string): Promise<{ record: IdleRecord; judgement: Judgement } | null>
  /** What a machine that has just connected has to know about its stop. */
  standing(workspace: string): Promise<Order>
}

export interface IdlenessMeans {
  redis: Redis
  channel: MachineChannel
  workspaces: Pick<Workspaces, "beginAs">
  settings: IdlenessSettings
  now: () => number
  log: Logger
  /** Milliseconds a machine that is asked may take to report; one that does not know the question reports by itself. */
  answerMs?: number
}

export function createIdleness(means: IdlenessMeans): Idleness {
  const { redis, channel, workspaces, settings, now, log, answerMs = 5_000 } = means

  /** @returns false when the workspace is no longer what was judged */
  async function move({ id, state, epoch }: IdleRecord, to: State, plannedStop: number | null): Promise<boolean> {
    const answer = await scripts.move.run(
      redis,
      [KEY.workspace(id), KEY.changes],
      [state, epoch, to, now(), plannedStop ?? ""],
    )
    return answer === "moved"
  }

  const stopping = (at: number): Order => {
    const iso = new Date(at).toISOString()
    return { type: "stopping", data: { reason: REASON, at: iso, inMs: Math.max(0, at - now()) } }
  }
  const stay: Order = { type: "stay", data: {} }

  async function decide(id: string): Promise<{ record: IdleRecord; judgement: Judgement; step: Step } | null> {
    const record = await readRecord(redis, id)
    if (!record) return null
    const at = now()
    const judgement = judgeRecord(record, settings, at)
    return { record, judgement, step: nextStep(record, judgement, settings, at) }
  }

  /** Has the machine report now, and waits for that. */
  async function ask(id: string): Promise<void> {
    const waiting = new AbortController()
    const reported = () => waiting.abort()
    const forget = await channel.waitFor(id, what => what === "reported" && reported())
    try {
      await channel.order(id, { type: "report", data: {} })
      await sleep(answerMs, undefined, { signal: waiting.signal }).catch(() => {})
    } finally {
      forget()
    }
  }

  async function stop(record: IdleRecord): Promise<boolean> {
    try {
      await workspaces.beginAs(IDLENESS, record.id, "stop", record.basis)
      return true
    } catch (error) {
      // Somebody came, or another process was first: the next look sees what is so.
      if (error instanceof ServiceError) return false
      throw error
    }
  }

  async function act({ record, step }: { record: IdleRecord; step: Step }): Promise<boolean> {
    const { id, plannedStop } = record
    switch (step.do) {
      case "rest":
        return move(record, SHIFTS.rest.to, null)
      case "rouse":
      case "call-off":
        if (!(await move(record, step.do === "rouse" ? SHIFTS.rouse.to : record.state, null))) return false
        if (plannedStop !== null) await channel.order(id, stay)
        return true
      case "warn":
        if (!(await move(record, record.state, step.at))) return false
        await channel.order(id, stopping(step.at))
        return true
      case "stop":
        return stop(record)
      default:
        return true
    }
  }

  async function look(id: string): Promise<Step["do"]> {
    let found = await decide(id)
    if (found?.step.do === "ask") {
      await ask(id)
      found = await decide(id)
    }
    if (!found || !(await act(found))) return "nothing"
    const { step, judgement } = found
    if (step.do !== "nothing" && step.do !== "ask") {
      log.info({ workspace: id, step: step.do, verdict: judgement.verdict }, "use of a workspace")
    }
    return step.do
  }

  return {
    look,
    async visited(id) {
      await scripts.see.run(redis, [KEY.workspace(id)], ["visit", now()])
      await look(id)
    },
    async activity(id) {
      const found = await decide(id)
      return found && (found.record.state === "RUNNING" || found.record.state === "IDLE") ? found : null
    },
    async standing(id) {
      const record = await readRecord(redis, id)
      return record?.plannedStop ? stopping(record.plannedStop) : stay
    },
  }
}
