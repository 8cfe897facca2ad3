import { randomUUID } from "node:crypto"
import type { Estimates } from "../operations/estimates.ts"
import type { OperationEvents } from "../operations/events.ts"
import type { OperationInfo, Wish } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import { givesWay } from "../operations/urgency.ts"
import { asker as traceOfAsker } from "../traces/asker.ts"
import { newTrace } from "../traces/span.ts"
import type { Budgets } from "../usage/budgets.ts"
import type { WorkspaceStore } from "./store.ts"
import { type Kind, leadsToDesktop } from "./transitions.ts"
import type { Workspace } from "./workspace.ts"

/** Somebody who may act on what anybody has: an operator, by their user id, or a part of the service. */
export interface Behalf {
  requestedBy: string
  /** Id of the request it was asked for in. */
  request?: string
}

/** Who acts: a user on what is theirs, by their id, or somebody on whatever there is. */
export type By = string | Behalf

interface Asked {
  wish?: Wish
  /** The workspace's owner where nobody is named. */
  by?: By
}

type Asking = Pick<Workspace, "id" | "owner" | "profile" | "provider">

export interface Beginnings {
  /** The operation that somebody asks for, which nothing is recorded of yet. */
  asked(about: Asking, kind: Kind, more?: Asked): Promise<OperationInfo>
  /**
   * Records it and has it worked on.
   * @param more.unchanged fields of the workspace that must have these values still, see the store
   * @returns the operation's id
   * @throws ServiceError `illegal-transition`, `changed-meanwhile`, `busy` where what the service does by itself must wait, or `budget-reached` for what leads to a desktop
   */
  begin(
    by: By,
    workspace: Workspace,
    kind: Kind,
    more?: { retry?: boolean; unchanged?: Record<string, string>; wish?: Wish },
  ): Promise<string>
  /** The operation is recorded; where the queue cannot be told, the next comparison finds it. */
  hint(operation: string): Promise<void>
}

export function createBeginnings({
  store,
  queue,
  events,
  estimates,
  budgets,
  now,
}: {
  store: WorkspaceStore
  queue: OperationQueue
  events: OperationEvents
  estimates: Estimates
  budgets: Pick<Budgets, "refuse">
  now: () => number
}): Beginnings {
  const hint = (operation: string) => queue.add(operation).catch(() => {})

  const asked: Beginnings["asked"] = async ({ id, owner, ...where }, kind, { wish, by = owner } = {}) => {
    // What others took says nothing of one that finds its machine ready.
    const estimate = wish?.spare ? { seconds: null, steps: {} } : await estimates.estimate(kind, where)
    const asker = typeof by === "string" ? { requestedBy: by } : by
    const about = {
      id: randomUUID(),
      workspace: id,
      owner,
      kind,
      ...asker,
      createdAt: now(),
      estimate,
      trace: newTrace(traceOfAsker()),
    }
    return wish ? { ...about, wish } : about
  }

  return {
    asked,
    hint,
    async begin(by, workspace, kind, { retry = false, unchanged = {}, wish } = {}) {
      if (leadsToDesktop(kind)) await budgets.refuse(workspace.owner)
      const info = await asked(workspace, kind, wish ? { by, wish } : { by })
      const { operation, overtaken } = await store.begin(info, {
        ...{ retry, unchanged },
        givesWay: givesWay(info.requestedBy),
      })
      // Whoever watches it hears at once; if this is lost, the stream finds its end in the record.
      if (overtaken) await events.tell(overtaken, { type: "state", state: "cancelled", at: now() }).catch(() => {})
      await hint(operation)
      return operation
    },
  }
}
