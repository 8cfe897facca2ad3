import type { Machine, MachineState, Machines } from "../../infra/machines/contract.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Projects } from "../projects/projects.ts"
import type { State } from "./transitions.ts"
import type { Provider, Workspace } from "./workspace.ts"

/** A workspace of which only the provider's labels tell. */
export interface Unrecorded {
  id: string
  provider: Provider
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
export async function unrecordedOf(
  { machines, projects }: { machines: Machines; projects: Pick<Projects, "providerOf"> },
  user: string,
  known: Workspace[],
): Promise<Unrecorded[]> {
  const found = await machines.list({ [LABELS.managedBy]: MANAGER, [LABELS.owner]: user })
  const recorded = new Set(known.map(one => one.id))
  return found.flatMap(machine => fromMachine(machine, projects) ?? []).filter(one => !recorded.has(one.id))
}

function fromMachine(
  { labels, region, size, state, createdAt, project }: Machine,
  { providerOf }: Pick<Projects, "providerOf">,
): Unrecorded | null {
  const id = labels[LABELS.workspace]
  return id
    ? {
        id,
        provider: providerOf(projectOf({ project })),
        region,
        size,
        state: STATES[state],
        createdAt: createdAt.getTime(),
      }
    : null
}
