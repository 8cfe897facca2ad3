import type { Machines } from "../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import { projectOf } from "../../infra/projects.ts"
import type { Backups } from "../backups/backups.ts"
import { SCHEDULE } from "../backups/words.ts"
import type { Config } from "../config.ts"
import { notFound, ServiceError } from "../errors.ts"
import type { HomeBackups } from "../home-backups/home-backups.ts"
import type { Keys } from "../keys.ts"
import type { Estimates } from "../operations/estimates.ts"
import type { OperationEvents } from "../operations/events.ts"
import type { Wish } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import type { Projects } from "../projects/projects.ts"
import type { Secrets } from "../secrets/secrets.ts"
import type { Budgets } from "../usage/budgets.ts"
import type { Spares } from "../warm/spares.ts"
import { type Behalf, type By, createBeginnings } from "./begin.ts"
import { createCreation } from "./creation.ts"
import { diskOf } from "./disk.ts"
import type { Images } from "./images.ts"
import type { SizeCatalog } from "./sizes.ts"
import type { WorkspaceStore } from "./store.ts"
import type { ChangeWorkspace, CreateWorkspace } from "./wishes.ts"
import type { Place, SizeClass, StopMode, Workspace } from "./workspace.ts"

/** A workspace is kept on for so long at most. */
const MOST_KEPT_MS = 30 * 24 * 3_600_000

export interface Workspaces {
  /**
   * Creates a workspace, once for one wish: while one of the same profile is being created, or for the same key,
   * that one is answered.
   * @param more.orAlike with a key too, one of the same profile and repository that is being created
   * @throws ServiceError `quota-reached`, `sold-out`, `unknown-region`, `not-offered-to-you`, `no-image`, `idempotency-key-reused`,
   *   `budget-reached`, `no-room`, with `from` `no-backup` or `disk-too-small`, or what `repositoryOf` says
   */
  create(
    user: string,
    wish: CreateWorkspace,
    idempotencyKey: string | null,
    more?: { orAlike?: boolean },
  ): Promise<{ created: boolean; workspace: Workspace; operation: string }>
  /** @throws ServiceError `not-found` when it is not the user's */
  get(by: By, id: string): Promise<Workspace>
  listOf(user: string): Promise<Workspace[]>
  /**
   * Each begins an operation and returns its id.
   * @param more.unchanged what a stop rests on, see the store
   * @param more.because why, in words that follow "It was stopped because"
   * @throws ServiceError `not-found`, `illegal-transition`, `budget-reached` or `changed-meanwhile`
   */
  stop(
    by: By,
    id: string,
    mode?: StopMode,
    more?: { unchanged?: Record<string, string>; because?: string },
  ): Promise<string>
  /**
   * Starts what is off or asleep; another size or region than it had is taken along.
   * @throws ServiceError `sold-out`, `disk-too-large` and what `create` says about places: nothing has begun then
   */
  start(by: By, id: string, change?: { sizeClass?: SizeClass; region?: string }): Promise<string>
  /** @throws ServiceError as `start` with another size */
  resize(by: By, id: string, sizeClass: SizeClass): Promise<string>
  move(by: By, id: string, region: string): Promise<string>
  backup(by: By, id: string, name?: string): Promise<string>
  /** @throws ServiceError `no-backup` when it is none of the user's, `other-project` where it cannot be put there */
  restore(by: By, id: string, snapshot: string): Promise<string>
  /** @throws ServiceError `up-to-date` when it is of the newest image already */
  upgrade(by: By, id: string): Promise<string>
  /** @param more.leavesNothing no last snapshot is kept */
  destroy(by: By, id: string, more?: { leavesNothing?: boolean }): Promise<string>
  /**
   * Backs up what the schedule found due.
   * @param epoch of the workspace when it was found due: it may have been backed up since
   * @throws ServiceError as `stop`, and `changed-meanwhile`
   */
  backupAs(id: string, epoch?: number): Promise<string>
  /**
   * Begins a repair of what somebody has changed at the provider, see service/drift.
   * @param more.epoch of the workspace when that was decided
   * @param more.settles only notes in its stack what is accepted
   * @throws ServiceError `not-found`, `illegal-transition` and `changed-meanwhile`
   */
  repairAs(by: Behalf, id: string, more: { epoch: number; settles?: boolean }): Promise<string>
  /** Has a backup tried out beside everything else. @throws ServiceError `not-found` */
  prove(id: string, snapshot: string): Promise<string>
  /** @throws ServiceError `not-found` when it is not the user's, or `too-long` for more than 30 days */
  change(user: string, id: string, changes: ChangeWorkspace): Promise<Workspace>
  /** Does again what failed. @throws ServiceError `not-failed` or `budget-reached` */
  retry(by: By, workspace: string): Promise<string>
}

export interface WorkspacesMeans {
  config: Config
  keys: Keys
  store: WorkspaceStore
  queue: OperationQueue
  events: OperationEvents
  estimates: Estimates
  secrets: Secrets
  sizes: SizeCatalog
  images: Images
  projects: Pick<Projects, "place" | "providerOf">
  backups: Backups
  machines: Pick<Machines, "list" | "listSnapshots">
  budgets: Pick<Budgets, "refuse">
  spares: Spares
  homeBackups: Pick<HomeBackups, "requireSource" | "restore">
  now: () => number
}

export function createWorkspaces(means: WorkspacesMeans): Workspaces {
  const { config, store, sizes, images, backups, machines, now } = means
  const { asked, begin, hint } = createBeginnings(means)

  async function get(by: By, id: string): Promise<Workspace> {
    const workspace = await store.get(id)
    if (!workspace || (typeof by === "string" && workspace.owner !== by)) throw notFound("workspace")
    return workspace
  }

  /** The place for a wish of its owner's, where it can be had now and the workspace's disk fits. */
  async function placeFor(workspace: Workspace, wish: { sizeClass: SizeClass; region: string }): Promise<Place> {
    const offer = await sizes.offerTo(workspace.owner)
    const [size, diskGb] = await Promise.all([
      offer.choose({ ...wish, provider: workspace.provider }),
      diskOf(machines, workspace),
    ])
    if (diskGb !== null && size.diskGb < diskGb) {
      throw new ServiceError(
        "disk-too-large",
        409,
        `Its disk has ${diskGb} GB and size ${wish.sizeClass} only ${size.diskGb} GB, and a disk cannot be made smaller: take a larger size.`,
      )
    }
    return { ...wish, size: size.name, price: size.regions[wish.region]?.price ?? null }
  }

  async function upgrade(by: By, workspace: Workspace): Promise<string> {
    const image = await images.require(workspace.profile, projectOf(workspace))
    if (image === workspace.image) {
      throw new ServiceError("up-to-date", 409, "It is of the newest image already: there is nothing to do.")
    }
    // What sleeps is woken for it, and stays awake.
    const rest = workspace.state === "STOPPED" && workspace.snapshot === null
    return begin(by, workspace, "upgrade", { wish: { image, ...(rest ? { rest } : {}) } })
  }

  /** A backup that a request names in its body: when it is not there, the address that was asked is there all the same. */
  async function usableBackup(user: string, snapshot: string, project?: string): Promise<SnapshotFacts> {
    return backups.require(user, snapshot, project).catch(error => {
      throw error instanceof ServiceError && error.status === 404
        ? new ServiceError(error.id, 409, error.message)
        : error
    })
  }

  const create = createCreation({ ...means, asked, hint, usableBackup })

  return {
    get,
    listOf: store.listOf,
    async create(user, wish, idempotencyKey, more) {
      const { workspace, ...answer } = await create(user, wish, idempotencyKey, more)
      return { ...answer, workspace: await get(user, workspace) }
    },
    async stop(by, id, mode, { unchanged = {}, because } = {}) {
      const workspace = await get(by, id)
      const wanted = mode ?? config.stopMode
      const more = { unchanged, ...(because ? { wish: { because } } : {}) }
      // What is off already can still be put away.
      if (wanted === "hibernate" && workspace.snapshot === null) return begin(by, workspace, "hibernate", more)
      return begin(by, workspace, "stop", more)
    },
    async start(by, id, { sizeClass, region } = {}) {
      const workspace = await get(by, id)
      const wish = { sizeClass: sizeClass ?? workspace.sizeClass, region: region ?? workspace.region }
      const isOther = wish.sizeClass !== workspace.sizeClass || wish.region !== workspace.region
      if (workspace.snapshot !== null) {
        if (isOther) return begin(by, workspace, "wake", { wish: { place: await placeFor(workspace, wish) } })
        await (await sizes.offerTo(workspace.owner)).requireAvailable(workspace)
        return begin(by, workspace, "wake")
      }
      if (!isOther) return begin(by, workspace, "start")
      const place = await placeFor(workspace, wish)
      return begin(by, workspace, wish.region === workspace.region ? "resize" : "move", { wish: { place } })
    },
    async resize(by, id, sizeClass) {
      const workspace = await get(by, id)
      const place = await placeFor(workspace, { sizeClass, region: workspace.region })
      return begin(by, workspace, "resize", { wish: { place } })
    },
    async move(by, id, region) {
      const workspace = await get(by, id)
      const place = await placeFor(workspace, { sizeClass: workspace.sizeClass, region })
      return begin(by, workspace, "move", { wish: { place } })
    },
    async backup(by, id, name) {
      const workspace = await get(by, id)
      if (workspace.snapshot !== null) {
        throw new ServiceError("asleep", 409, "It is asleep: the snapshot it sleeps in is its newest backup already.")
      }
      return begin(by, workspace, "backup", { wish: name === undefined ? {} : { name } })
    },
    async restore(by, id, snapshot) {
      const workspace = await get(by, id)
      await usableBackup(workspace.owner, snapshot, projectOf(workspace)).catch(async error => {
        if (!(error instanceof ServiceError)) throw error
        await usableBackup(workspace.owner, snapshot)
        throw new ServiceError(
          "other-project",
          409,
          "This backup lies in another part of the cloud than the workspace: make a new workspace from it.",
        )
      })
      return begin(by, workspace, "restore", { wish: { snapshot } })
    },
    upgrade: async (by, id) => upgrade(by, await get(by, id)),
    async destroy(by, id, { leavesNothing = false } = {}) {
      return begin(by, await get(by, id), "destroy", leavesNothing ? { wish: { leavesNothing } } : {})
    },
    async backupAs(id, epoch) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const unchanged: Record<string, string> = epoch === undefined ? {} : { epoch: String(epoch) }
      return begin({ requestedBy: SCHEDULE }, workspace, "backup", { wish: { scheduled: true }, unchanged })
    },
    async repairAs(by, id, { epoch, settles = false }) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const wish: Wish = settles ? { settles } : {}
      return begin(by, workspace, "repair", { wish, unchanged: { epoch: String(epoch) } })
    },
    async prove(id, snapshot) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const operation = await store.beginBeside(await asked(workspace, "prove", { by: SCHEDULE, wish: { snapshot } }))
      await hint(operation)
      return operation
    },
    async change(user, id, { keepOnUntil, ...changes }) {
      await get(user, id)
      const until = typeof keepOnUntil === "string" ? Date.parse(keepOnUntil) : keepOnUntil
      if (until && until > now() + MOST_KEPT_MS) {
        throw new ServiceError("too-long", 422, "A workspace is kept on for 30 days at most: name an earlier time.")
      }
      // A time that is over is no wish any more.
      const keepOn = until === undefined ? {} : { keepOnUntil: until !== null && until > now() ? until : null }
      await store.changeSettings(id, { ...changes, ...keepOn })
      return get(user, id)
    },
    async retry(by, id) {
      const workspace = await get(by, id)
      const last = workspace.operation ? await store.operation(workspace.operation) : null
      if (workspace.state !== "FAILED" || !last) {
        throw new ServiceError("not-failed", 409, "Nothing has failed here that could be tried again.")
      }
      // Where an upgrade broke off for good, nobody knows what the disk holds; how it was before, the snapshot does.
      const { safety } = last.marks
      const wish = last.kind === "upgrade" && safety ? { ...last.wish, safety } : last.wish
      return begin(by, workspace, last.kind, { retry: true, ...(wish ? { wish } : {}) })
    },
  }
}
