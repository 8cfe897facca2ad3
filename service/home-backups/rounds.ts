import type { MachineReports } from "../machines/reports.ts"
import { isSpare } from "../warm/words.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { admits } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { type HomeBackups, type HomeMeans, lost } from "./home-backups.ts"
import type { HomeRecord } from "./records.ts"
import { alongWith, isHomeDue, isLost } from "./schedule.ts"

/** Agents from this version on know the order. */
const SINCE_AGENT = 3
/** What a creation that came to nothing has left goes after so long. */
const ORPHAN_MS = 3_600_000

/** Is its machine there, and of an image that can? Pure. */
export const takesHomeBackups = (
  { report, reportedAt }: Awaited<ReturnType<MachineReports["last"]>>,
  now: number,
  silentMs: number,
) => Number(report?.versions.agent) >= SINCE_AGENT && now - reportedAt < silentMs

/**
 * One look at all home backups: has those made that are due, gives up what machines have lost, removes what nobody has
 * any more, and puts what was sealed anew beside the repositories. Cut off, the next look goes on.
 */
export async function lookAfterHomes(
  means: Pick<HomeMeans, "config" | "now" | "log"> & {
    homes: HomeBackups
    store: Pick<WorkspaceStore, "ids" | "get">
    reports: MachineReports
    silentMs: number
  },
  signal: AbortSignal,
): Promise<void> {
  const { config, homes, store, reports, log, now } = means
  const settings = config.homeBackups
  if (!homes.isOn || settings === null) return
  for (const id of await store.ids()) {
    if (signal.aborted) return
    const workspace = await store.get(id)
    if (workspace === null || !admits(workspace.state) || isSpare(workspace)) continue
    await ofOne(workspace, settings.everyMs).catch(failed(id))
  }
  for await (const owner of homes.records.users()) {
    for (const record of await homes.records.ofUser(owner)) {
      if (signal.aborted) return
      await tidy(owner, record).catch(failed(record.workspace))
    }
  }

  function failed(workspace: string) {
    return (error: unknown) => log.warn({ err: error, workspace }, "a home backup could not be looked after")
  }

  async function ofOne(workspace: Workspace, everyMs: number): Promise<void> {
    const { id, owner, createdAt } = workspace
    const seen = await reports.last(id)
    if (!takesHomeBackups(seen, now(), means.silentMs)) return
    const record = await homes.of(workspace)
    if (record && isLost(record, seen.connectedAt, now())) {
      await homes.records.change(owner, id, before => before && lost(before, now()))
      return
    }
    if (!isHomeDue(record, { createdAt, everyMs, now: now() })) return
    const about = { proofEveryMs: config.proofEveryMs, keepDays: config.backupDays, now: now() }
    await homes.backUp(workspace, record === null ? { prove: true, keepDays: null } : alongWith(record, about))
  }

  async function tidy(owner: string, record: HomeRecord): Promise<void> {
    const { workspace, keepUntil, backups, run } = record
    const isOrphan = async () =>
      backups.length === 0 && now() - (run?.askedAt ?? 0) > ORPHAN_MS && (await store.get(workspace)) === null
    if ((keepUntil !== null && keepUntil <= now()) || (await isOrphan())) await homes.remove(owner, workspace)
    else if (record.kept !== record.sealed) await homes.keepKey(owner, record)
  }
}
