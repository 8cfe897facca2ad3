import type { Machines } from "../../infra/machines/contract.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import type { Workspace } from "./workspace.ts"

/**
 * The size of a workspace's disk in GB, as the provider has it: of its machine, or of the snapshot it sleeps in. A
 * disk never becomes smaller, so no size with less than that will do. Null where there is neither.
 */
export async function diskOf(
  machines: Pick<Machines, "list" | "listSnapshots">,
  { id, snapshot, ...at }: Pick<Workspace, "id" | "snapshot" | "project">,
): Promise<number | null> {
  const label = { [LABELS.workspace]: id }
  const there = { project: projectOf(at) }
  if (snapshot === null) return (await machines.list(label, there))[0]?.diskGb ?? null
  return (await machines.listSnapshots(label, there)).find(one => one.id === snapshot)?.diskGb ?? null
}
