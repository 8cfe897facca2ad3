import { SNAPSHOT_LABELS, snapshotFacts } from "../../infra/machines/snapshots.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { ServiceError } from "../errors.ts"
import { endLogin } from "../logins/end-login.ts"
import { isOver } from "../operations/operation.ts"
import type { Services } from "../services.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Ending } from "./endings.ts"

const DAY = 24 * 3600_000
/** A deletion that has failed is begun again after so long. */
const AGAIN_MS = 60_000

/** What the end of an account touches. */
export type EndMeans = Pick<
  Services,
  | "endings"
  | "logins"
  | "apiTokens"
  | "tokens"
  | "channel"
  | "workspaces"
  | "store"
  | "machines"
  | "budgets"
  | "homeBackups"
  | "deliveries"
  | "config"
  | "log"
  | "now"
>

/** Goes on with every account that is ending. Whatever was done already is found done. */
export async function endAccounts(means: EndMeans): Promise<void> {
  for (const ending of await means.endings.all()) {
    await goOn(means, ending).catch(error => {
      means.log.warn({ err: error, user: ending.user }, "an account could not be ended yet; it is tried again")
    })
  }
}

/** Ends all access of a user: logins, open desktops, tokens for scripts. */
export async function endAccess(
  means: Pick<EndMeans, "logins" | "apiTokens" | "tokens" | "channel" | "workspaces">,
  user: string,
): Promise<void> {
  const { logins, apiTokens, tokens, channel, workspaces } = means
  for (const login of await logins.listOf(user)) await endLogin(means, login)
  for (const { id } of await apiTokens.listOf(user)) await apiTokens.revoke(user, id)
  for (const { id } of await workspaces.listOf(user)) await channel.revoke(await tokens.revokeOfWorkspace(id))
}

/** One step further: access first, then the workspaces, snapshots when those are gone, what is recorded last. */
async function goOn(means: EndMeans, ending: Ending): Promise<void> {
  const { endings, workspaces, store, budgets, homeBackups, deliveries, log } = means
  const { user } = ending
  await endAccess(means, user)
  const left = await workspaces.listOf(user)
  for (const workspace of left) await endWorkspace(means, ending, workspace)
  if (left.length > 0) return
  await endSnapshots(means, ending)
  // Nobody could ever have them back.
  const homes = homeBackups.isOn ? await homeBackups.records.ofUser(user) : []
  for (const { workspace } of homes) await homeBackups.remove(user, workspace)
  for (const id of await endings.noted(user)) await store.forget(id)
  await budgets.clear(user)
  await deliveries.forget(user)
  if (await endings.finish(user)) log.info({ user }, "an account has ended")
}

async function endWorkspace(
  { endings, workspaces, store, log, now }: EndMeans,
  { user, snapshots }: Ending,
  { id, state, operation }: Workspace,
): Promise<void> {
  const last = operation ? await store.operation(operation) : null
  if (state === "TERMINATING" && last && !isOver(last)) return
  if (last?.kind === "destroy" && last.finishedAt !== null && now() - last.finishedAt < AGAIN_MS) return
  await endings.note(user, id)
  await workspaces.destroy(user, id, { leavesNothing: snapshots === "remove" }).catch(error => {
    // It changed at this very moment: the next look sees how it is.
    if (!(error instanceof ServiceError)) throw error
    log.info({ workspace: id, reason: error.id }, "a workspace of an account that ends is not deleted yet")
  })
}

/** Snapshots go, or are kept for as long as those of deleted workspaces are, and no longer. */
async function endSnapshots({ machines, config }: EndMeans, { user, snapshots, askedAt }: Ending): Promise<void> {
  const found = await machines.listSnapshots({ [LABELS.managedBy]: MANAGER, [LABELS.owner]: user })
  const until = askedAt + config.finalSnapshotDays * DAY
  for (const one of found) {
    const keepUntil = snapshotFacts(one)?.keepUntil ?? null
    if (snapshots === "remove" || config.finalSnapshotDays === 0) await machines.removeSnapshot(one.id)
    else if (keepUntil === null || keepUntil > until + DAY) {
      const end = String(Math.ceil(until / 1000))
      await machines.labelSnapshot(one.id, { ...one.labels, [SNAPSHOT_LABELS.keepUntil]: end })
    }
  }
}
