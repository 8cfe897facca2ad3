import type { Machines } from "../../infra/machines/contract.ts"
import { type SnapshotFacts, type SnapshotKind, snapshotFacts } from "../../infra/machines/snapshots.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { ServiceError } from "../errors.ts"

/** Kinds that a person sees and can restore: what a workspace sleeps in is no backup of it. */
const RESTORABLE: SnapshotKind[] = ["backup", "safety", "final"]

/** Snapshots of workspaces, as the provider's labels tell of them: nothing about them is stored elsewhere. */
export interface Backups {
  /** Those of one workspace that can be restored, newest first. */
  of(user: string, workspace: string): Promise<SnapshotFacts[]>
  /** All of a user's that can be restored, those of deleted workspaces too, newest first. */
  ofUser(user: string): Promise<SnapshotFacts[]>
  /** @throws ServiceError `no-backup` when it is none of the user's, or not usable */
  require(user: string, snapshot: string): Promise<SnapshotFacts>
  /** @throws ServiceError `no-backup` */
  remove(user: string, snapshot: string): Promise<void>
}

export function createBackups(machines: Machines): Backups {
  async function find(labels: Record<string, string>): Promise<SnapshotFacts[]> {
    const found = await machines.listSnapshots({ [LABELS.managedBy]: MANAGER, ...labels })
    return found
      .flatMap(one => snapshotFacts(one) ?? [])
      .filter(({ kind }) => RESTORABLE.includes(kind))
      .sort((a, b) => b.createdAt - a.createdAt)
  }
  const ofUser = (user: string) => find({ [LABELS.owner]: user })
  async function require(user: string, snapshot: string): Promise<SnapshotFacts> {
    const found = (await ofUser(user)).find(one => one.id === snapshot)
    if (found?.available) return found
    throw new ServiceError("no-backup", 404, "There is no such backup, or it is not yours, or not usable.")
  }
  return {
    of: (user, workspace) => find({ [LABELS.owner]: user, [LABELS.workspace]: workspace }),
    ofUser,
    require,
    async remove(user, snapshot) {
      await require(user, snapshot)
      await machines.removeSnapshot(snapshot)
    },
  }
}
