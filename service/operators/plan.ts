import type { Operation } from "../operations/operation.ts"
import { type Kind, TRANSITIONS } from "../workspaces/transitions.ts"
import type { StopMode, Workspace } from "../workspaces/workspace.ts"

/** What operators do with anybody's workspace. */
export const ACTIONS = ["stop", "start", "retry", "backup", "destroy"] as const
export type Action = (typeof ACTIONS)[number]

/** What an action would begin now. */
export interface Plan {
  /** Null: nothing. */
  kind: Kind | null
  /** Why nothing would be begun. */
  why: string | null
}

/** Says what an action would do, without doing it. Pure; the store has the last word when it is done. */
export function planOf(
  action: Action,
  workspace: Pick<Workspace, "state" | "snapshot">,
  last: Pick<Operation, "kind"> | null,
  stopMode: StopMode,
): Plan {
  const { state, snapshot } = workspace
  if (action === "retry") {
    if (state === "FAILED" && last) return { kind: last.kind, why: null }
    return { kind: null, why: "Nothing has failed here that could be tried again." }
  }
  if (action === "backup" && snapshot !== null) {
    return { kind: null, why: "It is asleep: the snapshot it sleeps in is its newest backup already." }
  }
  const kind = kindOf(action, snapshot !== null, stopMode)
  const { from } = TRANSITIONS[kind]
  if (from.includes(state)) return { kind, why: null }
  return { kind: null, why: `It is ${state}, and must be ${from.join(" or ")} for that.` }
}

function kindOf(action: Exclude<Action, "retry">, isAsleep: boolean, stopMode: StopMode): Kind {
  if (action === "stop") return stopMode === "hibernate" && !isAsleep ? "hibernate" : "stop"
  if (action === "start") return isAsleep ? "wake" : "start"
  return action
}
