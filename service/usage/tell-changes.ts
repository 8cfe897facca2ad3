import type { Notify } from "../notifications/outbox.ts"
import { isSpare } from "../warm/words.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { BY_BUDGET } from "./budget-watch.ts"
import type { Change } from "./changes.ts"

/** Tells owners of those changes that they may want to hear of. Told again, a change is not heard twice. */
export async function tellOwner(
  store: Pick<WorkspaceStore, "operation" | "get">,
  notify: Notify,
  change: Change,
): Promise<void> {
  const { info, from, to, epoch } = change
  if (isSpare(info)) return
  // By the name it has now: what it was created with may be long forgotten.
  const name = (await store.get(info.id))?.name ?? info.name
  const facts = { workspace: info.id, name }
  const options = { id: `${info.id}-${epoch}-${to}` }
  const operation = change.operation ? await store.operation(change.operation) : null
  if (from === "STOPPING" && to === "STOPPED") {
    await notify(info.owner, "stopped", { ...facts, by: stoppedBy(operation?.requestedBy, info.owner) }, options)
  } else if (from === "STARTING" && to === "RUNNING") {
    await notify(info.owner, "woke", facts, options)
  } else if (from === "PROVISIONING" && to === "FAILED" && operation?.failure?.id !== "cancelled") {
    const message = operation?.failure?.message ?? "The reason is not known any more."
    await notify(info.owner, "provisioning-failed", { ...facts, message }, options)
  }
}

function stoppedBy(requestedBy: string | undefined, owner: string) {
  if (requestedBy === owner) return "owner"
  if (requestedBy === BY_BUDGET) return "budget"
  return requestedBy === "idleness" ? "idleness" : "service"
}
