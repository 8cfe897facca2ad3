import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Lenient, Machines } from "../../infra/machines/contract.ts"
import { type SnapshotFacts, snapshotLabels } from "../../infra/machines/snapshots.ts"
import { projectOf } from "../../infra/projects.ts"
import type { Config } from "../config.ts"
import type { Notify } from "../notifications/outbox.ts"
import { isOver, type Operation } from "../operations/operation.ts"
import type { Ledger } from "../usage/ledger.ts"
import { isSpare } from "../warm/words.ts"
import { CHORES_PATIENCE_MS } from "../workspaces/providers.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { Backups } from "./backups.ts"
import { createHabits } from "./habits.ts"
import { dueProof, lastProven } from "./proofs.ts"
import { quietMinute } from "./quiet-hour.ts"
import { type BackupFacts, type Due, dueBackup, lastBackup, nextBackup } from "./schedule.ts"
import { tidyProvers, tidySnapshots } from "./tidy.ts"
import { createTryBook } from "./tries.ts"

/** A trial that could not be made is tried again after so long. */
const PROVE_AGAIN_MS = 6 * 3_600_000
/** A round begins nothing more after so long; the next one goes on. */
const ROUND_MS = 10 * 60_000
/** Between two looks at a backup that is being made. */
const LOOK_MS = 250

export interface RoundMeans {
  config: Pick<Config, "backups" | "backupNight" | "backupsAtOnce" | "proofEveryMs" | "proofsAtOnce">
  redis: Redis
  machines: Machines
  store: WorkspaceStore
  workspaces: Pick<Workspaces, "backupAs" | "prove">
  backups: Backups
  ledger: Ledger
  notify: Notify
  log: Logger
  now: () => number
}

/**
 * One look after another at all backups: removes those whose time has come, makes those that are due, has them tried
 * out. What there is to do follows from the provider's labels and the records of workspaces at each look, so a look that
 * was cut off costs nothing, and two at once do no harm. What is in a project that is away waits for the next look.
 * @returns a function that looks once; it resolves when the backups it began are made, or the signal aborts
 */
export function createRounds(means: RoundMeans): (signal: AbortSignal, without?: ReadonlySet<string>) => Promise<void> {
  const { config, redis, machines, store, workspaces, backups, log, now } = means
  const tries = createTryBook(redis, store, means.notify)
  const habits = createHabits(means.ledger, now)
  const failed = (error: unknown, what: string) => log.warn({ err: error }, `${what} could not be removed`)

  return async (signal, without = new Set()) => {
    const away = new Set(without)
    const lenient: Lenient = { patienceMs: CHORES_PATIENCE_MS, away: one => away.add(one), without }
    const ids = await store.ids()
    const all = (await Promise.all(ids.map(store.get))).filter(one => one !== null)
    const going = await store.going()
    const left = await tidySnapshots({ machines, now, failed, lenient }, await backups.all(lenient), {
      living: ids,
      inUse: inUse(all, going),
    })
    await tidyProvers({ machines, now, failed, lenient }, store.operation)
    // Nothing of anybody's is on a spare machine.
    const living = all.filter(one => !isSpare(one) && !away.has(projectOf(one)))
    if (!config.backups) return
    const byWorkspace = Map.groupBy(left, one => one.workspace)
    const due: (Due & { epoch: number })[] = []
    let under = 0
    for (const workspace of living) {
      const { isGoing, facts } = await factsOf(workspace, byWorkspace.get(workspace.id) ?? [])
      if (isGoing) under++
      const found = isGoing ? null : dueBackup(facts, now())
      if (found) due.push({ ...found, epoch: workspace.epoch })
      await show(workspace, facts)
    }
    await beginProofs(living, byWorkspace, going)
    await makeAll(due, config.backupsAtOnce - under, signal)
  }

  async function factsOf(workspace: Workspace, snapshots: SnapshotFacts[]) {
    const { isGoing, failures, triedAt } = await tries.settle(workspace)
    const minute = quietMinute(workspace.id, await habits.usedByHour(workspace.id), config.backupNight)
    const { id, state, snapshot, unsavedSince } = workspace
    const facts: BackupFacts = { id, state, snapshot, unsavedSince, snapshots, failures, triedAt, quietMinute: minute }
    return { isGoing, facts }
  }

  async function show({ id, backups: shown }: Workspace, facts: BackupFacts): Promise<void> {
    const { snapshots } = facts
    const summary = { last: lastBackup(snapshots), next: nextBackup(facts, now()), lastProven: lastProven(snapshots) }
    if (JSON.stringify(summary) !== JSON.stringify(shown)) await backups.show(id, summary)
  }

  /** Makes what is due, the longest due first, some at a time. */
  async function makeAll(due: (Due & { epoch: number })[], atOnce: number, signal: AbortSignal): Promise<void> {
    const todo = due.sort((a, b) => a.since - b.since)
    const end = performance.now() + ROUND_MS
    const line = async () => {
      for (let one = todo.shift(); one; one = todo.shift()) {
        if (signal.aborted || performance.now() > end) return
        const { id } = one
        await (one.do === "keep" ? keep(one) : make(one, signal)).catch(error =>
          log.warn({ err: error, workspace: id }, "a backup could not be begun"),
        )
      }
    }
    await Promise.all(Array.from({ length: Math.max(0, atOnce) }, line))
  }

  async function make({ id, epoch }: { id: string; epoch: number }, signal: AbortSignal): Promise<void> {
    // Another look, or a person, may have been faster: then the next look judges it anew.
    const operation = await workspaces.backupAs(id, epoch)
    await tries.begun(id, operation, now())
    for (;;) {
      const found = await store.operation(operation)
      if (!found || isOver(found)) break
      if (signal.aborted) return
      await sleep(LOOK_MS)
    }
    const workspace = await store.get(id)
    if (workspace) await tries.settle(workspace)
  }

  /** What it sleeps in becomes the day's backup. */
  async function keep({ id, snapshot }: Due): Promise<void> {
    const found = await backups.all({ patienceMs: CHORES_PATIENCE_MS, away: () => {} })
    const facts = found.find(one => one.id === snapshot)
    if (!facts || facts.scheduledAt !== null) return
    await machines.labelSnapshot(facts.id, snapshotLabels({ ...facts, scheduledAt: now() }))
    const workspace = await store.get(id)
    // Were it awake by now, its disk might be another already.
    if (workspace?.snapshot === snapshot) await store.saved(id)
  }

  async function beginProofs(
    living: Workspace[],
    byWorkspace: Map<string, SnapshotFacts[]>,
    going: Operation[],
  ): Promise<void> {
    let room = config.proofsAtOnce - going.filter(one => one.kind === "prove").length
    const wanted = living
      .filter(one => one.state !== "TERMINATING" && one.state !== "TERMINATED")
      .flatMap(({ id }) => {
        const its = byWorkspace.get(id) ?? []
        const backup = dueProof(its, config.proofEveryMs, now())
        return backup ? [{ id, backup: backup.id, last: lastProven(its) ?? 0 }] : []
      })
      .sort((a, b) => a.last - b.last)
    for (const { id, backup } of wanted) {
      if (room <= 0) return
      const before = await store.newestBeside(id, "prove")
      if (before && before.createdAt > now() - PROVE_AGAIN_MS) continue
      await workspaces
        .prove(id, backup)
        .then(() => room--)
        .catch(error => log.warn({ err: error, workspace: id }, "a backup could not be tried out"))
    }
  }
}

/** Snapshots that something is made from, or soon will be. */
function inUse(living: Workspace[], going: Operation[]): Set<string> {
  return new Set([
    ...going.flatMap(({ wish, marks }) => [wish?.snapshot ?? [], marks.safety ?? []].flat()),
    ...living.flatMap(({ snapshot }) => snapshot ?? []),
  ])
}
