import { setTimeout as wait } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { gapAfter } from "../infra/sweep.ts"
import { type EndMeans, endAccounts } from "./accounts/end-account.ts"
import type { Audit } from "./audit/audit.ts"
import { deliverDue } from "./notifications/deliver.ts"
import type { Deliveries } from "./notifications/deliveries.ts"
import type { Mailer } from "./notifications/mail.ts"
import { emptyOutbox, type Notify } from "./notifications/outbox.ts"
import type { PreferenceStore } from "./notifications/preferences.ts"
import type { Suspensions } from "./operators/suspensions.ts"
import { reconcile } from "./reconcile/reconcile.ts"
import { inTurn } from "./redis/turn.ts"
import type { RollOuts } from "./roll-outs/roll-outs.ts"
import { watchBudgets } from "./usage/budget-watch.ts"
import type { Budgets } from "./usage/budgets.ts"
import { moveChanges } from "./usage/changes.ts"
import type { Ledger } from "./usage/ledger.ts"
import type { LinePrice } from "./usage/ledger-line.ts"
import { tellOwner } from "./usage/tell-changes.ts"
import type { Weathers } from "./weather/weathers.ts"
import type { SizeCatalog } from "./workspaces/sizes.ts"
import type { WorkspaceStore } from "./workspaces/store.ts"
import type { WorkspaceInfo } from "./workspaces/workspace.ts"
import type { Workspaces } from "./workspaces/workspaces.ts"

/** Between two looks at what there is to write down and to tell. */
const LOOK_MS = 1_000
const BUDGETS_MS = 60_000
const ROLL_OUT_MS = 5_000
/** Between two looks at all backups: each lists all snapshots, 50 a request. */
const BACKUPS_MS = 5 * 60_000
/** Longer than a look takes that makes many. */
const BACKUPS_TURN_MS = 20 * 60_000
/** Between two looks at home backups: of Redis alone, but for what has to be done. */
const HOMES_MS = 60_000
/** Longer than the removal of what deleted workspaces had takes. */
const HOMES_TURN_MS = 20 * 60_000
const ENDINGS_MS = 2_000
const SUSPENSIONS_MS = 2_000
/** Between two looks whether Redis was emptied: one question to it. */
const RECORDS_MS = 5_000
/** Between two looks at which workspaces are due to be compared with what they really have. */
const DRIFT_MS = 60_000
/** Longer than all looks take that are due at once. */
const DRIFT_TURN_MS = 20 * 60_000
/** Between two looks at all that a provider has of ours: five requests and more, 50 resources each. */
const SWEEP_MS = 60_000
/** Between two looks at machines that say nothing; they cost requests only where there are some. */
const RECONCILE_MS = 30_000
/** Between two looks at the locks of the engine's backend: one request or two where it is a bucket. */
const LOCKS_MS = 30_000
/** Between two looks at who waits for a certificate: authorities grant another one every few hours. */
const CERTIFICATES_MS = 10_000
/** Between two looks at spare machines: they cost questions to Redis alone while all is as it shall be. */
const SPARES_MS = 2_000
const STATE_BACKUP_MS = 60_000
/** Longer than a backup of what the service has stored takes. */
const STATE_BACKUP_TURN_MS = 30 * 60_000
/** What a loop's own timer may be early by. */
const SLACK_MS = 5_000
/** Longer than a turn takes; a worker that died in the middle is succeeded after so long. */
export const TURN_MS = 60_000
/** Name of the turn that a sweep takes. */
export const SWEEP_TURN = "sweep"

export interface ChoreMeans extends EndMeans {
  redis: Redis
  audit: Pick<Audit, "write">
  ledger: Ledger
  sizes: SizeCatalog
  store: WorkspaceStore
  workspaces: Workspaces
  budgets: Budgets
  rollOuts: RollOuts
  suspensions: Pick<Suspensions, "look">
  notify: Notify
  preferences: PreferenceStore
  deliveries: Deliveries
  mailer: Mailer | null
  /** Looks after all backups once. @param without projects that are left alone now */
  lookAfterBackups: (signal: AbortSignal, without: ReadonlySet<string>) => Promise<void>
  /** Looks after all home backups once. */
  lookAfterHomeBackups: (signal: AbortSignal) => Promise<void>
  /** Compares what workspaces shall have with what they have, where that is due. */
  lookForDrift: (signal: AbortSignal) => Promise<unknown>
  weather: { now: Weathers["worst"]; waiting: Weathers["waiting"] }
  /** Makes the records again where Redis was emptied. */
  restoreRecords: (signal: AbortSignal) => Promise<unknown>
  /** Removes what the provider has of workspaces that nobody knows. */
  sweep: (signal: AbortSignal, without: ReadonlySet<string>) => Promise<{ held: number }>
  /** Gives a sign of life of this host, and removes locks whose holders are gone. */
  lookAfterLocks: () => Promise<void>
  /** Backs up what the service has stored when that is due. */
  backUpState: () => Promise<void>
  /** Keeps as many spare machines as the settings say. */
  lookAfterSpares: (without: ReadonlySet<string>) => Promise<void>
  /** Gives machines their turns at certificate authorities. */
  lookAfterCertificates: () => Promise<void>
  log: Logger
  now: () => number
}

/**
 * What the worker role does beside operations: keeps the usage ledger, watches budgets, delivers notifications, looks
 * after backups, goes on with roll-outs, ends accounts.
 */
export interface Chores {
  /** Waits for what goes on; what is left is the next worker's. */
  close(): Promise<void>
}

/** @param onlyPublic refuse webhooks outside the public internet */
export function startChores(means: ChoreMeans, { onlyPublic }: { onlyPublic: boolean }): Chores {
  const { redis, ledger, sizes, store, notify, log } = means
  const stop = new AbortController()
  const priceOf = (info: WorkspaceInfo) => livePrice(sizes, info)
  const heard = (change: Parameters<typeof tellOwner>[2]) => tellOwner(store, notify, change)

  async function writeDown(): Promise<void> {
    while (!stop.signal.aborted && (await moveChanges({ redis, ledger, log, priceOf, heard })) > 0);
    while (!stop.signal.aborted && (await emptyOutbox(means)) > 0);
  }

  let isWaiting = false
  /**
   * Leaves out what nobody waits for while a provider fails or has few requests left; the next turn looks again.
   * @param work.0 projects it goes without
   */
  async function inCalm(work: (without: ReadonlySet<string>) => Promise<void>): Promise<void> {
    const [weather, waiting] = await Promise.all([means.weather.now(), means.weather.waiting()])
    const waits = waiting === null || waiting.size > 0
    if (waits !== isWaiting) {
      const said = waits
        ? "a provider fails, or its requests run out: there backups, trials, roll-outs and sweeps wait"
        : "the provider is well again: backups, trials, roll-outs and sweeps go on"
      log.warn({ ...weather, projects: waiting === null ? "all" : [...waiting] }, said)
      isWaiting = waits
    }
    if (waiting !== null) await work(waiting)
  }
  /** What goes over all projects in one plan waits until all are well. */
  const inCalmEverywhere = (work: () => Promise<void>) =>
    inCalm(async without => {
      if (without.size === 0) await work()
    })

  let sweepsAt = 0
  const loops = [
    every(LOOK_MS, stop.signal, log, "what has changed could not be written down", () =>
      inTurn(redis, "changes", TURN_MS, writeDown),
    ),
    every(LOOK_MS, stop.signal, log, "the audit log could not be written", () =>
      inTurn(redis, "audit", TURN_MS, async () => {
        while (!stop.signal.aborted && (await means.audit.write()) > 0);
      }),
    ),
    every(LOOK_MS, stop.signal, log, "notifications could not be delivered", () =>
      deliverDue({ ...means, onlyPublic }),
    ),
    every(BUDGETS_MS, stop.signal, log, "budgets could not be watched", () =>
      inTurn(redis, "budgets", TURN_MS, () => watchBudgets(means)),
    ),
    every(ROLL_OUT_MS, stop.signal, log, "the roll-out could not go on", () =>
      inTurn(redis, "roll-out", TURN_MS, () => inCalmEverywhere(means.rollOuts.step)),
    ),
    every(BACKUPS_MS, stop.signal, log, "backups could not be looked after", () =>
      inTurn(redis, "backups", BACKUPS_TURN_MS, () => inCalm(without => means.lookAfterBackups(stop.signal, without))),
    ),
    every(SPARES_MS, stop.signal, log, "spare machines could not be looked after", () =>
      inTurn(redis, "spares", TURN_MS, () => inCalm(means.lookAfterSpares)),
    ),
    every(HOMES_MS, stop.signal, log, "home backups could not be looked after", () =>
      inTurn(redis, "home-backups", HOMES_TURN_MS, () => means.lookAfterHomeBackups(stop.signal)),
    ),
    every(STATE_BACKUP_MS, stop.signal, log, "what the service has stored could not be backed up", () =>
      inTurn(redis, "state-backup", STATE_BACKUP_TURN_MS, means.backUpState),
    ),
    every(CERTIFICATES_MS, stop.signal, log, "turns for certificates could not be given", () =>
      inTurn(redis, "certificates", TURN_MS, means.lookAfterCertificates),
    ),
    every(DRIFT_MS, stop.signal, log, "workspaces could not be compared with what they have", () =>
      inTurn(redis, "drift", DRIFT_TURN_MS, async () => void (await means.lookForDrift(stop.signal))),
    ),
    every(ENDINGS_MS, stop.signal, log, "accounts could not be ended", () =>
      inTurn(redis, "account-endings", TURN_MS, () => endAccounts(means)),
    ),
    every(RECONCILE_MS, stop.signal, log, "machines that say nothing could not be looked at", () =>
      inTurn(redis, "reconcile", TURN_MS, () => inCalm(without => reconcile(means, without))),
    ),
    // Each host for itself: only it knows which of its processes are dead.
    every(LOCKS_MS, stop.signal, log, "the locks of the engine's backend could not be looked at", means.lookAfterLocks),
    every(SUSPENSIONS_MS, stop.signal, log, "workspaces of suspended users could not be stopped", () =>
      inTurn(redis, "suspensions", TURN_MS, means.suspensions.look),
    ),
    every(RECORDS_MS, stop.signal, log, "lost records could not be made again", () =>
      inTurn(redis, "records", TURN_MS, async () => void (await means.restoreRecords(stop.signal))),
    ),
    every(SWEEP_MS, stop.signal, log, "what nobody has any more could not be looked for", () =>
      inTurn(redis, SWEEP_TURN, TURN_MS, async () => {
        if (means.now() < sweepsAt) return
        await inCalm(async without => {
          const { held } = await means.sweep(stop.signal, without)
          sweepsAt = means.now() + gapAfter(held) - SLACK_MS
        })
      }),
    ),
  ]
  return {
    async close() {
      stop.abort()
      await Promise.all(loops)
    },
  }
}

/** Does something again and again until the signal aborts; a failure is logged once until it goes well again. */
async function every(ms: number, signal: AbortSignal, log: Logger, complaint: string, work: () => Promise<unknown>) {
  let failing = false
  while (!signal.aborted) {
    try {
      await work()
      failing = false
    } catch (error) {
      log[failing ? "debug" : "error"]({ err: error }, complaint)
      failing = true
    }
    await wait(ms, undefined, { signal }).catch(() => {})
  }
}

async function livePrice(sizes: SizeCatalog, { provider, size, region }: WorkspaceInfo): Promise<LinePrice | null> {
  const found = (await sizes.all(provider)).find(one => one.name === size)
  return found?.regions[region]?.price ?? null
}
