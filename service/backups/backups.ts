import type { Redis } from "ioredis"
import type { Lenient, Machines } from "../../infra/machines/contract.ts"
import { type SnapshotFacts, type SnapshotKind, snapshotFacts } from "../../infra/machines/snapshots.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { ServiceError } from "../errors.ts"
import { loadScript } from "../redis/scripts.ts"
import { PATIENCE_MS, providerAway } from "../workspaces/providers.ts"
import { KEY } from "../workspaces/store.ts"
import type { BackupSummary, Workspace } from "../workspaces/workspace.ts"
import { lastProven } from "./proofs.ts"
import { lastBackup } from "./schedule.ts"

const showScript = loadScript(new URL("lua/show.lua", import.meta.url))

/** Kinds that a person sees and can restore: what a workspace sleeps in is no backup of it. */
const RESTORABLE: SnapshotKind[] = ["backup", "safety", "final"]

/** Snapshots of workspaces, as the provider's labels tell of them: nothing about them is stored elsewhere. */
export interface Backups {
  /** Every snapshot of every workspace, whatever its kind. @param lenient whom it goes without */
  all(lenient?: Lenient): Promise<SnapshotFacts[]>
  /** Those of one workspace that can be restored, newest first. */
  of(user: string, workspace: Pick<Workspace, "id" | "project">): Promise<SnapshotFacts[]>
  /**
   * All of a user's that can be restored, those of deleted workspaces too, newest first.
   * @param away hears of each project that does not answer: what it has is missing
   */
  ofUser(user: string, away?: (project: string) => void): Promise<SnapshotFacts[]>
  /**
   * @param project of the provider that it must be in; any where nothing is said
   * @throws ServiceError `no-backup` when it is none of the user's, or not usable; `provider-away` where nobody can tell
   */
  require(user: string, snapshot: string, project?: string): Promise<SnapshotFacts>
  /** @throws ServiceError `no-backup` */
  remove(user: string, snapshot: string): Promise<void>
  /** What its owner is shown without the provider being asked. Nothing rests on it. */
  show(workspace: string, summary: BackupSummary): Promise<void>
  /** Looks at the provider, and shows what is there now. */
  refresh(workspace: Pick<Workspace, "id" | "backups" | "project">): Promise<void>
}

export function createBackups(machines: Machines, redis: Redis): Backups {
  async function find(labels: Record<string, string>, project?: string, lenient?: Lenient): Promise<SnapshotFacts[]> {
    const there = { ...(project === undefined ? {} : { project }), ...(lenient ? { lenient } : {}) }
    const found = await machines.listSnapshots({ [LABELS.managedBy]: MANAGER, ...labels }, there)
    return found.flatMap(one => snapshotFacts(one) ?? []).sort((a, b) => b.createdAt - a.createdAt)
  }
  const restorable = async (labels: Record<string, string>, project?: string, lenient?: Lenient) =>
    (await find(labels, project, lenient)).filter(({ kind }) => RESTORABLE.includes(kind))
  const ofUser = (user: string, away?: (project: string) => void, project?: string) =>
    restorable({ [LABELS.owner]: user }, project, away && { patienceMs: PATIENCE_MS, away })
  async function require(user: string, snapshot: string, project?: string): Promise<SnapshotFacts> {
    const away: string[] = []
    const found = (await ofUser(user, one => away.push(one), project)).find(one => one.id === snapshot)
    if (found?.available) return found
    if (!found && away.length > 0) throw providerAway()
    throw new ServiceError("no-backup", 404, "There is no such backup, or it is not yours, or not usable.")
  }
  async function show(workspace: string, summary: BackupSummary): Promise<void> {
    await showScript.run(redis, [KEY.workspace(workspace)], [JSON.stringify(summary)])
  }
  return {
    all: lenient => find({}, undefined, lenient),
    of: (user, workspace) =>
      restorable({ [LABELS.owner]: user, [LABELS.workspace]: workspace.id }, projectOf(workspace)),
    ofUser: (user, away) => ofUser(user, away),
    require,
    async remove(user, snapshot) {
      const { workspace, project } = await require(user, snapshot)
      await machines.removeSnapshot(snapshot)
      return refresh({ id: workspace, backups: null, ...(project ? { project } : {}) })
    },
    show,
    refresh,
  }

  async function refresh({ id, backups, ...at }: Pick<Workspace, "id" | "backups" | "project">): Promise<void> {
    const its = await find({ [LABELS.workspace]: id }, projectOf(at))
    await show(id, { last: lastBackup(its), next: backups?.next ?? null, lastProven: lastProven(its) })
  }
}
