import type { Machine, MachineState, Machines } from "../../infra/machines/contract.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { State } from "./transitions.ts"
import type { Workspace } from "./workspace.ts"

/** A workspace of which only the provider's labels tell. */
export interface Unrecorded {
  id: string
  region: string
  size: string
  state: State
  createdAt: number
}

const STATES: Record<MachineState, State> = {
  creating: "PROVISIONING",
  starting: "STARTING",
  running: "RUNNING",
  stopping: "STOPPING",
  off: "STOPPED",
  deleting: "TERMINATING",
  unknown: "FAILED",
}

/** The user's machines at the provider that the store does not know: what is left to show when the store was lost. */
export async function unrecordedOf(machines: Machines, user: string, known: Workspace[]): Promise<Unrecorded[]> {
  const found = await machines.list({ [LABELS.managedBy]: MANAGER, [LABELS.owner]: user })
  const recorded = new Set(known.map(one => one.id))
  return found.flatMap(machine => fromMachine(machine) ?? []).filter(one => !recorded.has(one.id))
}

function fromMachine({ labels, region, size, state, createdAt }: Machine): Unrecorded | null {
  const id = labels[LABELS.workspace]
  return id ? { id, region, size, state: STATES[state], createdAt: createdAt.getTime() } : null
}
