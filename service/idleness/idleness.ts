import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { ServiceError } from "../errors.ts"
import type { MachineChannel, Order } from "../machines/channel.ts"
import { OUTBOX } from "../notifications/outbox.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import { SHIFTS, type State } from "../workspaces/transitions.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { Judgement } from "./judge.ts"
import { nextStep, type Step } from "./next-step.ts"
import { type IdleRecord, judgeRecord, readRecord } from "./record.ts"
import type { IdlenessSettings } from "./settings.ts"
import { IDLENESS, unusedSince } from "./words.ts"

const scripts = {
  move: loadScript(new URL("lua/move.lua", import.meta.url)),
  see: loadScript(new URL("lua/see.lua", import.meta.url)),
}

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
  workspaces: Pick<Workspaces, "stop">
  settings: IdlenessSettings
  now: () => number
  log: Logger
  /** Milliseconds a machine that is asked may take to report; one that does not know the question reports by itself. */
  answerMs?: number
}

interface Decision {
  record: IdleRecord
  judgement: Judgement
  step: Step
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

export function createIdleness(means: IdlenessMeans): Idleness {
  const { redis, channel, workspaces, settings, now, log, answerMs = 5_000 } = means

  /** @returns false when the workspace is no longer what was judged */
  async function move(
    { id, state, epoch }: IdleRecord,
    to: State,
    planned: { stop: number; why: string } | null,
  ): Promise<boolean> {
    const answer = await scripts.move.run(
      redis,
      [KEY.workspace(id), KEY.changes, OUTBOX],
      [state, epoch, to, now(), planned?.stop ?? "", id, planned?.why ?? ""],
    )
    return answer === "moved"
  }

  const stopping = (at: number, judgement: Judgement): Order => {
    const [iso, inMs] = [new Date(at).toISOString(), Math.max(0, at - now())]
    return { type: "stopping", data: { reason: unusedSince(judgement, now()), at: iso, inMs } }
  }
  const stay: Order = { type: "stay", data: {} }

  async function decide(id: string): Promise<Decision | null> {
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

  async function stop(record: IdleRecord, judgement: Judgement): Promise<boolean> {
    try {
      await workspaces.stop({ requestedBy: IDLENESS }, record.id, undefined, {
        unchanged: record.basis,
        because: unusedSince(judgement, now()),
      })
      return true
    } catch (error) {
      // Somebody came, or another process was first: the next look sees what is so.
      if (error instanceof ServiceError) return false
      throw error
    }
  }

  async function act({ record, judgement, step }: Decision): Promise<boolean> {
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
        if (!(await move(record, record.state, { stop: step.at, why: sentence(unusedSince(judgement, now())) })))
          return false
        await channel.order(id, stopping(step.at, judgement))
        return true
      case "stop":
        return stop(record, judgement)
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
      const found = await decide(id)
      return found?.record.plannedStop ? stopping(found.record.plannedStop, found.judgement) : stay
    },
  }
}
