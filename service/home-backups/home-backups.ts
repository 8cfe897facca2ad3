import { randomUUID } from "node:crypto"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { ObjectStorage } from "../../infra/object-storage/storage.ts"
import type { Config } from "../config.ts"
import { notFound, ServiceError } from "../errors.ts"
import { type Keys, randomToken } from "../keys.ts"
import type { MachineChannel, Order } from "../machines/channel.ts"
import type { Notify } from "../notifications/outbox.ts"
import { admits, type State } from "../workspaces/transitions.ts"
import type { HomeSource } from "../workspaces/wishes.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { failedWith, type HomeNews, heardOf } from "./news.ts"
import {
  createHomeRecords,
  type HomeRecord,
  type HomeRecords,
  type HomeRun,
  homeBackupsKey,
  homeContext,
} from "./records.ts"

const DAY = 24 * 3_600_000
/** A run of which nothing was heard for so long may be begun anew. */
const QUIET_MS = 2 * 60_000
/** After so many failures in a row its owner hears of it. */
const TOLD_AFTER = 3

export interface HomeMeans {
  config: Pick<Config, "homeBackups" | "backupDays" | "finalSnapshotDays" | "proofEveryMs">
  redis: Redis
  keys: Pick<Keys, "seal" | "open">
  channel: MachineChannel
  notify: Notify
  /** Null: there are no home backups here. */
  storage: ObjectStorage | null
  log: Logger
  now: () => number
}

/** What is wished for beside a backup itself. */
export type BackupWish = Pick<HomeRun, "prove" | "keepDays">

/** Encrypted copies of homes in an S3-compatible storage; see ARCHITECTURE.md, "Home backups". */
export type HomeBackups = ReturnType<typeof createHomeBackups>

export function createHomeBackups(means: HomeMeans) {
  const { config, redis, keys, channel, notify, storage, log, now } = means
  const records: HomeRecords = createHomeRecords(redis)
  const prefixOf = (workspace: string) => `${config.homeBackups?.prefix ?? ""}${workspace}/`
  const keyName = (workspace: string) => `${prefixOf(workspace)}foozol-key.json`

  const context = (owner: string, workspace: string) => homeContext(homeBackupsKey(owner), workspace)

  /** @throws ServiceError `no-home-backups` */
  function required(): ObjectStorage {
    if (storage) return storage
    throw new ServiceError(
      "no-home-backups",
      409,
      "This service keeps no home backups: its operator has set up no storage for them.",
    )
  }

  function passwordOf(owner: string, { workspace, sealed }: HomeRecord): string {
    try {
      return keys.open(sealed, context(owner, workspace))
    } catch (error) {
      log.error({ err: error, workspace }, "no key opens the password of these home backups")
      throw new ServiceError("home-locked", 409, "The key of these home backups is lost: ask the operator.")
    }
  }

  /** The record with its password, whose sealing lies in the storage too before anything else does. */
  async function ready(owner: string, workspace: string): Promise<HomeRecord> {
    let record = await records.get(owner, workspace)
    if (record === null) {
      const found = await inStorage(s => s.read(keyName(workspace)))
      const sealed = found
        ? (JSON.parse(found) as HomeRecord).sealed
        : keys.seal(randomToken(), context(owner, workspace))
      record = await records.change(owner, workspace, before => before ?? newRecord(workspace, sealed))
    }
    if (record === null) throw new Error("a record that was just made is not there")
    passwordOf(owner, record)
    return record.kept === record.sealed ? record : keepKey(owner, record)
  }

  /** With it, the service's secret is enough to open the repository, also when Redis is lost. */
  async function keepKey(owner: string, { workspace, sealed }: HomeRecord): Promise<HomeRecord> {
    await inStorage(s => s.write(keyName(workspace), JSON.stringify({ workspace, owner, sealed })))
    const after = await records.change(owner, workspace, before => before && { ...before, kept: sealed })
    if (after === null) throw removing()
    return after
  }

  /** @throws ServiceError `storage-away` */
  async function inStorage<T>(work: (storage: ObjectStorage) => Promise<T>): Promise<T> {
    const there = required()
    try {
      return await work(there)
    } catch (error) {
      log.warn({ err: error }, "the storage of home backups did not do what it was asked")
      throw new ServiceError(
        "storage-away",
        502,
        "The storage of home backups does not answer: try again in a few minutes.",
        {
          next: "retry",
        },
      )
    }
  }

  /** Puts down what is to be done, and tells the machine. @throws ServiceError `home-busy` */
  async function begin(owner: string, workspace: string, wish: Pick<HomeRun, "do" | "from" | "backup"> & BackupWish) {
    await ready(owner, workspace)
    const run: HomeRun = { id: randomUUID(), ...wish, askedAt: now(), heardAt: null, percent: null }
    await records.change(owner, workspace, before => {
      if (before === null || before.keepUntil !== null) throw removing()
      if (isUnderWay(before, now())) throw busy(before)
      return { ...before, run }
    })
    await channel.order(workspace, orderOf(run))
    return run
  }

  return {
    isOn: storage !== null,
    records,
    prefixOf,
    required,
    inStorage,
    keepKey,
    passwordOf,
    of: (workspace: Pick<Workspace, "id" | "owner">) => records.get(workspace.owner, workspace.id),

    /** Has the home backed up now. @throws ServiceError `no-home-backups`, `home-busy`, `storage-away` */
    backUp: ({ id, owner }: Pick<Workspace, "id" | "owner">, wish: BackupWish) =>
      begin(owner, id, { do: "backup", from: null, backup: null, ...wish }),

    /** The same as somebody asks for it. @throws ServiceError `asleep` too */
    async backUpNow(workspace: Pick<Workspace, "id" | "owner" | "state">): Promise<void> {
      required()
      if (!admits(workspace.state)) throw new ServiceError("asleep", 409, "It is not running: start it first.")
      const record = await records.get(workspace.owner, workspace.id)
      await this.backUp(workspace, { prove: !record?.proof?.passed, keepDays: null })
    },

    /**
     * Has a home put over that of a workspace: now, or when its machine is there.
     * @throws ServiceError `no-home-backup`, and as `backUp`
     */
    async restore({ id, owner, state }: Pick<Workspace, "id" | "owner"> & { state?: State }, source: HomeSource) {
      required()
      if (state === "TERMINATING" || state === "TERMINATED") throw notFound("workspace")
      const found = await requireSource(owner, source)
      return begin(owner, id, { do: "restore", ...found, prove: false, keepDays: null })
    },
    requireSource,

    /** What a machine that connects is told: what it was to do and has not answered. */
    async standing({ id, owner }: Pick<Workspace, "id" | "owner">): Promise<Order | null> {
      const run = storage && (await records.get(owner, id))?.run
      return run ? orderOf(run) : null
    },

    /** Takes down what a machine says of its work. */
    async heard({ id, owner, name }: Pick<Workspace, "id" | "owner" | "name">, news: HomeNews): Promise<void> {
      let before: HomeRecord | null = null
      const after = await records.change(owner, id, found => {
        before = found
        return found === null ? undefined : heardOf(found, news, now())
      })
      await channel.announce(id, `home ${JSON.stringify({ id: news.id, state: news.state })}`)
      if (after === null || before === after || news.state === "going") return
      if (after.failure?.times === TOLD_AFTER) {
        const message = `The home was not backed up. ${after.failure.message}`
        await notify(owner, "backup-failed", { workspace: id, name, message }, { id: `${news.id}-home-failed` })
      }
      if (news.state !== "done") return
      if (news.proof && !news.proof.passed) {
        const facts = { workspace: id, name, backup: `of the home`, message: news.proof.detail ?? "" }
        await notify(owner, "restore-unproven", facts, { id: `${news.id}-home-unproven` })
      }
      if (news.made) await measure(owner, id)
    },

    /** Of a workspace that is deleted: its home backups stay for as long as its last snapshot. */
    async ended({ id, owner, name }: Pick<Workspace, "id" | "owner" | "name">, leavesNothing: boolean): Promise<void> {
      await records.change(owner, id, before => {
        if (before === null) return undefined
        const stays = !leavesNothing && before.backups.length > 0
        const keepUntil = now() + (stays ? config.finalSnapshotDays * DAY : 0)
        return { ...before, run: null, deletedName: name, keepUntil: before.keepUntil ?? keepUntil }
      })
    },

    /** Removes all home backups of a workspace, for good. @throws ServiceError `no-home-backup`, `storage-away` */
    async remove(owner: string, workspace: string): Promise<void> {
      // From here on its machine may do nothing more, and whoever finds it so goes on with it.
      const marked = await records.change(
        owner,
        workspace,
        before => before && { ...before, run: null, keepUntil: now() },
      )
      if (marked === null) throw noHomeBackup()
      await inStorage(s => s.removeAll(prefixOf(workspace)))
      await records.change(owner, workspace, before => (before?.keepUntil ? null : undefined))
    },
  }

  /** @returns as a run says it. @throws ServiceError `no-home-backup` */
  async function requireSource(owner: string, { workspace, backup }: HomeSource) {
    const record = await records.get(owner, workspace)
    const found = record?.backups.find(one => backup === undefined || one.id === backup)
    if (found === undefined) throw noHomeBackup()
    return { from: workspace, backup: found.id }
  }

  /** What it takes in the storage, as that tells. */
  async function measure(owner: string, workspace: string): Promise<void> {
    try {
      const objects = await required().list(prefixOf(workspace))
      const stored = objects.reduce((sum, { bytes }) => sum + bytes, 0)
      await records.change(owner, workspace, before => before && { ...before, stored })
    } catch (error) {
      log.warn({ err: error, workspace }, "what home backups take in the storage is not known")
    }
  }
}

const newRecord = (workspace: string, sealed: string): HomeRecord => ({
  ...{ workspace, sealed, deletedName: null, kept: null, backups: [], stored: null, proof: null, prunedAt: null },
  ...{ run: null, restoredAt: null, failure: null, keepUntil: null },
})

const orderOf = ({ id, do: what, prove, keepDays, backup }: HomeRun): Order => ({
  type: "home-backup",
  data: { id, do: what, prove, keepDays, backup },
})

/** A restore stands until its machine has done it; a backup that nobody speaks of is no reason not to make one. */
const isUnderWay = ({ run }: HomeRecord, now: number) =>
  run !== null && (run.do === "restore" || now - (run.heardAt ?? run.askedAt) < QUIET_MS)

const busy = ({ run }: HomeRecord) =>
  new ServiceError(
    "home-busy",
    409,
    run?.do === "restore"
      ? "Its home is being restored, or will be when it starts: wait until that is done."
      : "Its home is being backed up: wait until that is done.",
    { next: "retry" },
  )
const removing = () =>
  new ServiceError("home-busy", 409, "Its home backups are being removed: try again in a few minutes.", {
    next: "retry",
  })
const noHomeBackup = () => new ServiceError("no-home-backup", 404, "There is no such home backup, or it is not yours.")

/** A record whose machine has let go of its work. */
export const lost = (record: HomeRecord, now: number) =>
  failedWith(
    record,
    "The machine has told nothing of it for a while; its image may be from before home backups: bring it to the newest one.",
    now,
  )
