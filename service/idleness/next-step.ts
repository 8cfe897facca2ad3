import type { State } from "../workspaces/transitions.ts"
import type { Judgement } from "./judge.ts"

/** What is to be done about a workspace after it was judged. */
export type Step =
  | { do: "nothing" }
  /** RUNNING to IDLE, and back; the way back calls off a stop that was planned. */
  | { do: "rest" }
  | { do: "rouse" }
  /** Plan the stop, and tell whoever is there. */
  | { do: "warn"; at: number }
  | { do: "call-off" }
  /** The stop is due, but what is known is older than that: ask the machine. */
  | { do: "ask" }
  | { do: "stop" }

/**
 * The next step towards a stop or away from it. Between idle and a stop there is always a warning, and a report that
 * came after the stop was due. Pure.
 * @param workspace.plannedStop for when a stop was announced; null: none
 * @param now service's clock, ms
 */
export function nextStep(
  workspace: { state: State; plannedStop: number | null; reportedAt: number | null },
  judgement: Judgement,
  { warningMs }: { warningMs: number },
  now: number,
): Step {
  const { state, plannedStop, reportedAt } = workspace
  if (state === "RUNNING") return { do: judgement.verdict === "idle" ? "rest" : "nothing" }
  if (state !== "IDLE") return { do: "nothing" }
  if (judgement.verdict !== "idle") return { do: "rouse" }
  const { stopsAt } = judgement
  if (stopsAt === null) return { do: plannedStop === null ? "nothing" : "call-off" }
  if (plannedStop === null) {
    return now < stopsAt - warningMs ? { do: "nothing" } : { do: "warn", at: Math.max(stopsAt, now + warningMs) }
  }
  const due = Math.max(plannedStop, stopsAt)
  if (now < due) return { do: "nothing" }
  return { do: reportedAt !== null && reportedAt >= due ? "stop" : "ask" }
}
