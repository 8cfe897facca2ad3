import { SCHEDULE } from "../backups/words.ts"
import { IDLENESS } from "../idleness/words.ts"
import { RECONCILER } from "../reconcile/words.ts"
import { ROLL_OUT } from "../roll-outs/plan.ts"
import { WARM_POOL } from "../warm/words.ts"
import { leadsToDesktop } from "../workspaces/transitions.ts"
import type { OperationInfo } from "./operation.ts"

/** As BullMQ counts: what has the lower number comes first. */
export const URGENCY = { waitedFor: 1, wanted: 2, chore: 3 } as const

/** Nobody waits for what these begin. */
const CHORES = new Set<string>([SCHEDULE, ROLL_OUT, WARM_POOL])

/** Who looks after workspaces by themselves, and looks again later. */
const LOOKS_AGAIN = new Set<string>([...CHORES, IDLENESS, RECONCILER])

/** Does an operation wait for its turn, instead of cutting off a repair or a backup that goes on? Its asker looks again. */
export const givesWay = (requestedBy: string): boolean => LOOKS_AGAIN.has(requestedBy)

/**
 * Where an operation stands in the queue when there are more than may go on at once: somebody looks at a progress bar
 * until a desktop opens; what else people want is next; what the service does for them by itself can wait.
 */
export function urgencyOf({ kind, requestedBy }: Pick<OperationInfo, "kind" | "requestedBy">): number {
  if (CHORES.has(requestedBy)) return URGENCY.chore
  return leadsToDesktop(kind) ? URGENCY.waitedFor : URGENCY.wanted
}
