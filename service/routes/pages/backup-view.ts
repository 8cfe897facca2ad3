import type { SnapshotFacts } from "../../../infra/machines/snapshots.ts"
import type { BackupView } from "../../pages/index.ts"
import type { Workspace } from "../../workspaces/workspace.ts"

/** What proofs of restores add to a snapshot's facts; missing where nothing was proven. */
interface Proof {
  provenAt?: number | null
  proof?: "passed" | "failed" | null
  /** When the schedule took it; null: a person made it. */
  scheduledAt?: number | null
}

/** Backups as pages show them. @param living the user's workspaces that are still there */
export function backupViews(found: SnapshotFacts[], living: Workspace[]): BackupView[] {
  return found.map((facts: SnapshotFacts & Proof) => {
    const { id, workspace, kind, description: name, available, bytes, createdAt, keepUntil } = facts
    const its = living.find(one => one.id === workspace)
    return {
      ...{ id, workspace, name, available, bytes, createdAt, keepUntil },
      // What a workspace sleeps in is no backup of it, and in no list of them.
      kind: kind === "sleep" ? "backup" : kind,
      scheduled: (facts.scheduledAt ?? null) !== null,
      workspaceName: its?.name ?? nameOf(facts),
      isLiving: its !== undefined,
      provenAt: facts.provenAt ?? null,
      proof: facts.proof ?? null,
    }
  })
}

/** What a deleted workspace was called: its last snapshot says so. */
const nameOf = ({ kind, description }: SnapshotFacts) =>
  kind === "final" ? description.replace(/, deleted$/, "") : null
