import type { ActionRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"

/** An action as the API shows it. */
export function presentAction(action: ActionRecord) {
  return {
    id: action.id,
    command: action.command,
    status: action.status,
    progress: action.progress,
    started: action.created,
    finished: action.finished,
    resources: action.resources,
    error: action.error,
  }
}

/** An action as it stands now, which may be further on than when it was begun. */
export const currentAction = (store: Store, action: ActionRecord) =>
  presentAction(store.get("action", action.id) ?? action)
