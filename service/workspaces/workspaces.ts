import { randomUUID } from "node:crypto"
import { z } from "zod"
import type { Machines, Size } from "../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import type { Backups } from "../backups/backups.ts"
import { SCHEDULE } from "../backups/words.ts"
import type { Config } from "../config.ts"
import { notFound, ServiceError } from "../errors.ts"
import type { Keys } from "../keys.ts"
import type { Estimates } from "../operations/estimates.ts"
import type { OperationEvents } from "../operations/events.ts"
import type { OperationInfo, Wish } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import { ProxyUrl, SecretName, type Secrets, SecretValue } from "../secrets/secrets.ts"
import type { Budgets } from "../usage/budgets.ts"
import { diskOf } from "./disk.ts"
import type { Images } from "./images.ts"
import { newWorkspaceId } from "./names.ts"
import type { SizeCatalog } from "./sizes.ts"
import type { WorkspaceStore } from "./store.ts"
import { type Kind, leadsToDesktop } from "./transitions.ts"
import {
  type Place,
  PROFILES,
  type Profile,
  SIZE_CLASSES,
  type SizeClass,
  type StopMode,
  type Workspace,
} from "./workspace.ts"

const ONE_LINE = "must be one line of visible characters"

const WorkspaceName = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(60, "must have at most 60 characters")
  // In the description of the API stands only this pattern: programs that read it know no classes of Unicode.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, ONE_LINE)
  .refine(text => !/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text), { error: ONE_LINE })

/** What can be changed about a workspace; what is left out stays as it is. */
export const ChangeWorkspace = z.strictObject({
  name: WorkspaceName.optional(),
  autoStop: z
    .boolean()
    .nullable()
    .optional()
    .meta({ description: "is it stopped by itself when idle? null: as the service does" }),
  keepOnUntil: z.iso
    .datetime({ offset: true })
    .nullable()
    .optional()
    .meta({ description: "it is kept on until then, used or not, for 30 days at most; null: no longer" }),
})
export type ChangeWorkspace = z.output<typeof ChangeWorkspace>

/** A workspace is kept on for so long at most. */
const MOST_KEPT_MS = 30 * 24 * 3_600_000

/** What a person or a program asks for. */
export const CreateWorkspace = z.strictObject({
  profile: z.enum(PROFILES).default("browser"),
  // The machine the requirements name for a desktop (A4).
  sizeClass: z.enum(SIZE_CLASSES).default("large"),
  region: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a region, such as fsn1")
    .optional(),
  provider: z.enum(["hetzner"]).default("hetzner"),
  name: WorkspaceName.optional(),
  from: z
    .string()
    .regex(/^[0-9]{1,20}$/, "must be the id of a backup")
    .optional()
    .meta({ description: "a backup of yours to make it from; it then has that one's profile, whatever is said here" }),
  proxy: ProxyUrl.optional(),
  secrets: z
    .record(SecretName, SecretValue)
    .refine(all => Object.keys(all).length <= 50, { error: "must be at most 50" })
    .default({}),
})
export type CreateWorkspace = z.output<typeof CreateWorkspace>

export interface Workspaces {
  /**
   * Creates a workspace, once for one wish: while one of the same profile is being created, or for the same key,
   * that one is answered.
   * @throws ServiceError `quota-reached`, `sold-out`, `unknown-region`, `no-image`, `idempotency-key-reused`,
   *   `budget-reached`, or with `from` `no-backup` or `disk-too-small`
   */
  create(
    user: string,
    wish: CreateWorkspace,
    idempotencyKey: string | null,
  ): Promise<{ created: boolean; workspace: Workspace; operation: string }>
  /** @throws ServiceError `not-found` when it is not the user's */
  get(user: string, id: string): Promise<Workspace>
  listOf(user: string): Promise<Workspace[]>
  /** Each begins an operation and returns its id. @throws ServiceError `not-found`, `illegal-transition` or `budget-reached` */
  stop(user: string, id: string, mode?: StopMode): Promise<string>
  /**
   * Starts what is off or asleep; another size or region than it had is taken along.
   * @throws ServiceError `sold-out`, `disk-too-large` and what `create` says about places: nothing has begun then
   */
  start(user: string, id: string, change?: { sizeClass?: SizeClass; region?: string }): Promise<string>
  /** @throws ServiceError as `start` with another size */
  resize(user: string, id: string, sizeClass: SizeClass): Promise<string>
  move(user: string, id: string, region: string): Promise<string>
  backup(user: string, id: string, name?: string): Promise<string>
  /** @throws ServiceError `no-backup` when it is none of the user's */
  restore(user: string, id: string, snapshot: string): Promise<string>
  /** @throws ServiceError `up-to-date` when it is of the newest image already */
  upgrade(user: string, id: string): Promise<string>
  /** The same, decided by the service. @param requestedBy what part of it has */
  upgradeAs(requestedBy: string, id: string): Promise<string>
  /** @param more.leavesNothing no last snapshot is kept */
  destroy(user: string, id: string, more?: { leavesNothing?: boolean }): Promise<string>
  /**
   * Begins an operation that the service itself has decided on.
   * @param requestedBy what part of the service has
   * @param more.unchanged what it rests on, see the store
   * @param more.because why, in words that follow "It was stopped because"
   * @throws ServiceError as `stop`, and `changed-meanwhile`
   */
  beginAs(
    requestedBy: string,
    id: string,
    kind: "stop",
    more?: { unchanged?: Record<string, string>; because?: string },
  ): Promise<string>
  /**
   * Backs up what the schedule found due.
   * @param epoch of the workspace when it was found due: it may have been backed up since
   * @throws ServiceError as `stop`, and `changed-meanwhile`
   */
  backupAs(id: string, epoch?: number): Promise<string>
  /** Has a backup tried out beside everything else. @throws ServiceError `not-found` */
  prove(id: string, snapshot: string): Promise<string>
  /** @throws ServiceError `not-found` when it is not the user's, or `too-long` for more than 30 days */
  change(user: string, id: string, changes: ChangeWorkspace): Promise<Workspace>
  /** Does again what failed. @throws ServiceError `not-failed` or `budget-reached` */
  retry(user: string, workspace: string): Promise<string>
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
  backups: Backups
  machines: Pick<Machines, "list" | "listSnapshots">
  budgets: Pick<Budgets, "refuse">
  now: () => number
}

export function createWorkspaces(means: WorkspacesMeans): Workspaces {
  const { config, keys, store, queue, events, estimates, secrets, sizes, images, backups, machines, budgets, now } =
    means

  async function get(user: string, id: string): Promise<Workspace> {
    const workspace = await store.get(id)
    if (!workspace || workspace.owner !== user) throw notFound("workspace")
    return workspace
  }

  async function asked(
    { id, owner, profile }: { id: string; owner: string; profile: Profile },
    kind: Kind,
    { wish, requestedBy = owner }: { wish?: Wish; requestedBy?: string } = {},
  ): Promise<OperationInfo> {
    const estimate = await estimates.estimate(kind, profile)
    const about = { id: randomUUID(), workspace: id, owner, kind, requestedBy, createdAt: now(), estimate }
    return wish ? { ...about, wish } : about
  }

  interface More {
    retry?: boolean
    unchanged?: Record<string, string>
    wish?: Wish
    requestedBy?: string
  }

  async function begin(workspace: Workspace, kind: Kind, more: More = {}): Promise<string> {
    const { retry = false, unchanged = {}, ...about } = more
    if (leadsToDesktop(kind)) await budgets.refuse(workspace.owner)
    const { operation, overtaken } = await store.begin(await asked(workspace, kind, about), { retry, unchanged })
    // Whoever watches it hears at once; if this is lost, the stream finds its end in the record.
    if (overtaken) await events.tell(overtaken, { type: "state", state: "cancelled", at: now() }).catch(() => {})
    await hint(operation)
    return operation
  }

  /** The operation is recorded; where the queue cannot be told, the next comparison finds it. */
  const hint = (operation: string) => queue.add(operation).catch(() => {})

  /** The place for a wish, where it can be had now and the workspace's disk fits. */
  async function placeFor(workspace: Workspace, wish: { sizeClass: SizeClass; region: string }): Promise<Place> {
    const [size, diskGb] = await Promise.all([sizes.choose(wish), diskOf(machines, workspace)])
    if (diskGb !== null && size.diskGb < diskGb) {
      throw new ServiceError(
        "disk-too-large",
        409,
        `Its disk has ${diskGb} GB and size ${wish.sizeClass} only ${size.diskGb} GB, and a disk cannot be made smaller: take a larger size.`,
      )
    }
    return { ...wish, size: size.name, price: size.regions[wish.region]?.price ?? null }
  }

  async function upgrade(workspace: Workspace, requestedBy = workspace.owner): Promise<string> {
    const image = await images.require(workspace.profile)
    if (image === workspace.image) {
      throw new ServiceError("up-to-date", 409, "It is of the newest image already: there is nothing to do.")
    }
    // What sleeps is woken for it, and stays awake.
    const rest = workspace.state === "STOPPED" && workspace.snapshot === null
    return begin(workspace, "upgrade", { wish: { image, ...(rest ? { rest } : {}) }, requestedBy })
  }

  /** A backup that a request names in its body: when it is not there, the address that was asked is there all the same. */
  async function usableBackup(user: string, snapshot: string): Promise<SnapshotFacts> {
    return backups.require(user, snapshot).catch(error => {
      throw error instanceof ServiceError ? new ServiceError(error.id, 409, error.message) : error
    })
  }

  return {
    get,
    listOf: store.listOf,
    async create(user, wish, idempotencyKey) {
      const { sizeClass, provider } = wish
      const source = wish.from === undefined ? null : await usableBackup(user, wish.from)
      const profile = PROFILES.find(one => one === source?.profile) ?? wish.profile
      const request = { key: idempotencyKey, digest: keys.mac("idempotency", JSON.stringify(wish)) }
      // Before the provider is asked: the first wish may have taken the last machine, and a repeated one is no new one.
      const known = await store.find(user, { ...request, profile })
      if (known) {
        await hint(known.operation)
        return { created: false, workspace: await get(user, known.workspace), operation: known.operation }
      }
      await budgets.refuse(user)
      const region = wish.region ?? (await sizes.regions())[0] ?? "fsn1"
      const [size, newest] = await Promise.all([sizes.choose({ sizeClass, region }), images.require(profile)])
      const image = source?.madeOf ? Number(source.madeOf) : newest
      if (source) requireRoom(source, size)
      const id = newWorkspaceId()
      const info = {
        ...{ id, owner: user, name: wish.name ?? id, profile, provider, region, size: size.name, sizeClass, image },
        price: size.regions[region]?.price ?? null,
        createdAt: now(),
      }
      await secrets.putForWorkspace(id, { proxy: wish.proxy ?? null, secrets: wish.secrets })
      const start = await asked(info, "create", source ? { wish: { snapshot: source.id } } : {})
      const answer = await store.create(info, start, {
        ...request,
        quota: {
          profile: profile === "desktop" ? config.quota.desktop : config.quota.total,
          total: config.quota.total,
        },
      })
      await hint(answer.operation)
      if (!answer.created) await secrets.forgetWorkspace(id)
      return { created: answer.created, workspace: await get(user, answer.workspace), operation: answer.operation }
    },
    async stop(user, id, mode) {
      const workspace = await get(user, id)
      const wanted = mode ?? config.stopMode
      // What is off already can still be put away.
      if (wanted === "hibernate" && workspace.snapshot === null) return begin(workspace, "hibernate")
      return begin(workspace, "stop")
    },
    async start(user, id, { sizeClass, region } = {}) {
      const workspace = await get(user, id)
      const wish = { sizeClass: sizeClass ?? workspace.sizeClass, region: region ?? workspace.region }
      const isOther = wish.sizeClass !== workspace.sizeClass || wish.region !== workspace.region
      if (workspace.snapshot !== null) {
        if (isOther) return begin(workspace, "wake", { wish: { place: await placeFor(workspace, wish) } })
        await sizes.requireAvailable(workspace)
        return begin(workspace, "wake")
      }
      if (!isOther) return begin(workspace, "start")
      const place = await placeFor(workspace, wish)
      return begin(workspace, wish.region === workspace.region ? "resize" : "move", { wish: { place } })
    },
    async resize(user, id, sizeClass) {
      const workspace = await get(user, id)
      const place = await placeFor(workspace, { sizeClass, region: workspace.region })
      return begin(workspace, "resize", { wish: { place } })
    },
    async move(user, id, region) {
      const workspace = await get(user, id)
      const place = await placeFor(workspace, { sizeClass: workspace.sizeClass, region })
      return begin(workspace, "move", { wish: { place } })
    },
    async backup(user, id, name) {
      const workspace = await get(user, id)
      if (workspace.snapshot !== null) {
        throw new ServiceError("asleep", 409, "It is asleep: the snapshot it sleeps in is its newest backup already.")
      }
      return begin(workspace, "backup", { wish: name === undefined ? {} : { name } })
    },
    async restore(user, id, snapshot) {
      const workspace = await get(user, id)
      await usableBackup(user, snapshot)
      return begin(workspace, "restore", { wish: { snapshot } })
    },
    upgrade: async (user, id) => upgrade(await get(user, id)),
    async upgradeAs(requestedBy, id) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      return upgrade(workspace, requestedBy)
    },
    async destroy(user, id, { leavesNothing = false } = {}) {
      return begin(await get(user, id), "destroy", leavesNothing ? { wish: { leavesNothing } } : {})
    },
    async beginAs(requestedBy, id, kind, { unchanged = {}, because } = {}) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const wanted = config.stopMode === "hibernate" ? "hibernate" : kind
      return begin(workspace, wanted, { unchanged, requestedBy, ...(because ? { wish: { because } } : {}) })
    },
    async backupAs(id, epoch) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const unchanged: Record<string, string> = epoch === undefined ? {} : { epoch: String(epoch) }
      return begin(workspace, "backup", { requestedBy: SCHEDULE, wish: { scheduled: true }, unchanged })
    },
    async prove(id, snapshot) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      const operation = await store.beginBeside(
        await asked(workspace, "prove", { requestedBy: SCHEDULE, wish: { snapshot } }),
      )
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
    async retry(user, id) {
      const workspace = await get(user, id)
      const last = workspace.operation ? await store.operation(workspace.operation) : null
      if (workspace.state !== "FAILED" || !last) {
        throw new ServiceError("not-failed", 409, "Nothing has failed here that could be tried again.")
      }
      // Where an upgrade broke off for good, nobody knows what the disk holds; how it was before, the snapshot does.
      const { safety } = last.marks
      const wish = last.kind === "upgrade" && safety ? { ...last.wish, safety } : last.wish
      return begin(workspace, last.kind, { retry: true, ...(wish ? { wish } : {}) })
    },
  }
}

/** @throws ServiceError `disk-too-small` */
function requireRoom(source: SnapshotFacts, size: Size): void {
  if (size.diskGb >= source.diskGb) return
  throw new ServiceError(
    "disk-too-small",
    422,
    `This backup is of a disk of ${source.diskGb} GB, and a machine of this size has ${size.diskGb} GB: choose a larger size.`,
  )
}
