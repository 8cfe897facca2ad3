import type { Machines } from "../../infra/machines/contract.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import type { Workspace } from "./workspace.ts"

/**
 * The size of a workspace's disk in GB, as the provider has it: of its machine, or of the snapshot it sleeps in. A
 * disk never becomes smaller, so no size with less than that will do. Null where there is neither.
 */
export async function diskOf(
  machines: Pick<Machines, "list" | "listSnapshots">,
  { id, snapshot }: Pick<Workspace, "id" | "snapshot">,
): Promise<number | null> {
  const label = { [LABELS.workspace]: id }
  if (snapshot === null) return (await machines.list(label))[0]?.diskGb ?? null
  return (await machines.listSnapshots(label)).find(one => one.id === snapshot)?.diskGb ?? null
}
