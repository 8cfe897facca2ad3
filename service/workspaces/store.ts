import { createHash } from "node:crypto"
import type { Redis } from "ioredis"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import type { Repository } from "../../infra/repositories/repository.ts"
import { notFound, ServiceError } from "../errors.ts"
import { type Operation, type OperationInfo, parseOperation } from "../operations/operation.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { WARM_POOL } from "../warm/words.ts"
import { isBeside, type Kind, type State, TRANSITIONS } from "./transitions.ts"
import {
  type Profile,
  parseWorkspace,
  type Workspace,
  type WorkspaceInfo,
  type WorkspaceSettings,
} from "./workspace.ts"

const scripts = {
  create: loadScript(new URL("lua/create.lua", import.meta.url)),
  begin: loadScript(new URL("lua/begin.lua", import.meta.url)),
  beginBeside: loadScript(new URL("lua/begin-beside.lua", import.meta.url)),
  settings: loadScript(new URL("lua/settings.lua", import.meta.url)),
}

/** Keys in Redis; every other file that needs one takes it from here. */
export const KEY = {
  workspace: (id: string) => `${PREFIX}ws:${id}`,
  operationsOf: (id: string) => `${PREFIX}ws:${id}:ops`,
  secretsOf: (id: string) => `${PREFIX}ws:${id}:secrets`,
  /** What its machine has told of conversations with coding agents, sealed, for a day. */
  conversationsOf: (id: string) => `${PREFIX}ws:${id}:conversations`,
  /** Set: hashes of the links by which its ports are shared. */
  sharesOf: (id: string) => `${PREFIX}ws:${id}:shares`,
  /** Its name was in use lately, and nothing else is known of it. */
  released: (id: string) => `${PREFIX}ws:${id}:released`,
  lease: (id: string) => `${PREFIX}ws:${id}:lease`,
  /** The hash that knows the newest operation and its epoch: the workspace's, or one for each kind that goes on beside. */
  holder: (id: string, kind: Kind) => (isBeside(kind) ? `${PREFIX}ws:${id}:${kind}` : KEY.workspace(id)),
  leaseOf: (id: string, kind: Kind) => (isBeside(kind) ? `${PREFIX}ws:${id}:${kind}:lease` : KEY.lease(id)),
  /** The newest look at what it really has, see service/drift. */
  drift: (id: string) => `${PREFIX}ws:${id}:drift`,
  /** How the schedule of backups fares with a workspace. */
  backupTries: (id: string) => `${PREFIX}ws:${id}:backup-tries`,
  /** What a machine has found that tries a backup out. */
  proofReport: (operation: string) => `${PREFIX}op:${operation}:proof`,
  workspacesOf: (user: string) => `${PREFIX}user:${user}:ws`,
  workspaces: `${PREFIX}ws-all`,
  /** Hash: the provider's project of each that is not in the main one. */
  elsewhere: `${PREFIX}ws-elsewhere`,
  operation: (id: string) => `${PREFIX}op:${id}`,
  /** Stream of what happens in an operation. */
  eventsOf: (operation: string) => `${PREFIX}op:${operation}:events`,
  /** Hash of what time was spent on in it, see service/traces. */
  spansOf: (operation: string) => `${PREFIX}op:${operation}:spans`,
  toDo: `${PREFIX}ops-to-do`,
  /** Operations that failed, by when. */
  failed: `${PREFIX}ops-failed`,
  /** Stream of changes of state, until the ledger has them; every script that changes a state appends to it. */
  changes: `${PREFIX}changes`,
  idempotency: (user: string, key: string) =>
    `${PREFIX}user:${user}:idem:${createHash("sha256").update(key).digest("hex")}`,
}

/** Seconds an `Idempotency-Key` is remembered. */
const IDEMPOTENCY_S = 24 * 3600
/** Seconds for which a name that is free again is given to nobody; records of what was deleted stay as long. */
const RELEASED_S = 30 * 24 * 3600
/** Seconds an operation that goes on beside is known as its workspace's newest of the kind. */
const BESIDE_S = 30 * 24 * 3600

export interface WorkspaceStore {
  get(id: string): Promise<Workspace | null>
  /** The user's workspaces that are not TERMINATED, oldest first. */
  listOf(user: string): Promise<Workspace[]>
  /** Ids of all that are not TERMINATED. */
  ids(): Promise<string[]>
  /** The provider's project of each of those, read together. */
  projects(): Promise<Map<string, string>>
  /** How many of those are in each project; one that has none is left out. */
  countByProject(): Promise<Map<string, number>>
  /**
   * The workspace that the same wish made before: by its key, or without one that of the same profile and repository
   * which is being created. What it says is only good as long as `create` finds the same.
   * @param wish.digests of the request, by each secret there is
   * @param wish.orAlike with a key that nothing is known by, the one that would be found without; the key leads to it then
   * @throws ServiceError `idempotency-key-reused`
   */
  find(
    owner: string,
    wish: {
      key: string | null
      orAlike?: boolean
      digests: string[]
      profile: Profile
      repository: Repository | null
    },
  ): Promise<{ workspace: string; operation: string } | null>
  /**
   * Records a new workspace and the operation that makes its machine, in one transaction.
   * @param options.digest of the request: the same `key` with another request is refused
   * @param options.orAlike as in `find`
   * @param options.repository what it begins with
   * @param options.most workspaces that may be in one project of the provider; 0: no such number
   * @param options.spare takes the spare machine of this id (see service/warm): at this epoch, heard of since then (ms);
   *   with the workspace's secrets, sealed
   * @throws ServiceError `quota-reached`, `idempotency-key-reused`, `project-full`, `name-taken` by a workspace that
   *   is there or was within 30 days, or `spare-gone` where the spare machine is no longer one
   */
  create(
    info: WorkspaceInfo,
    operation: OperationInfo,
    options: {
      key: string | null
      orAlike?: boolean
      digest: string
      quota: { profile: number; total: number }
      most?: number
      repository?: Repository | null
      spare?: { epoch: number; reportedSince: number; secrets: Record<string, string> }
    },
  ): Promise<{ created: boolean; workspace: string; operation: string }>
  /**
   * Begins an operation.
   * @param retry what failed is done again: FAILED is a state to begin in
   * @param unchanged fields of the workspace's hash with what they must still hold (empty: nothing)
   * @param givesWay it cuts off nothing that goes on
   * @returns its id, or that of the one which does the same already; and the one that it cut off, if any
   * @throws ServiceError `not-found`, `changed-meanwhile`, `busy` or `illegal-transition`
   */
  begin(
    operation: OperationInfo,
    options?: { retry?: boolean; givesWay?: boolean; unchanged?: Record<string, string> },
  ): Promise<{ operation: string; overtaken: string | null }>
  /**
   * Begins an operation that goes on beside those of the workspace itself; of each kind one at a time.
   * @returns its id, or that of the one that goes on already
   * @throws ServiceError `not-found`
   */
  beginBeside(operation: OperationInfo): Promise<string>
  /** The newest operation of a kind that goes on beside; null: none is known. */
  newestBeside(workspace: string, kind: Kind): Promise<Operation | null>
  /** Notes that a workspace's disk is as its newest backup has it. */
  saved(workspace: string): Promise<void>
  /** Operations that are not over. */
  going(): Promise<Operation[]>
  /** Those that failed since a time (ms), newest first. */
  failedSince(since: number, count: number): Promise<Operation[]>
  /** Changes settings of a workspace's owner; null takes one away. @throws ServiceError `not-found` */
  changeSettings(
    id: string,
    changes: { [K in keyof WorkspaceSettings]?: WorkspaceSettings[K] | null | undefined },
  ): Promise<void>
  /** Forgets a workspace that is TERMINATED and its operations, before that happens by itself. */
  forget(id: string): Promise<void>
  operation(id: string): Promise<Operation | null>
  /** Newest first. */
  operationsOf(workspace: string, count: number): Promise<Operation[]>
}

export function createWorkspaceStore(redis: Redis): WorkspaceStore {
  const get = async (id: string) => parseWorkspace(await redis.hgetall(KEY.workspace(id)))
  const operation = async (id: string) => parseOperation(await redis.hgetall(KEY.operation(id)))
  const present = <T>(values: (T | null)[]) => values.filter(value => value !== null)
  async function listOf(user: string): Promise<Workspace[]> {
    const all = present(await Promise.all((await redis.smembers(KEY.workspacesOf(user))).map(get)))
    return all.filter(one => one.state !== "TERMINATED").sort((a, b) => a.createdAt - b.createdAt)
  }
  async function projects(): Promise<Map<string, string>> {
    const answers = (await redis.multi().smembers(KEY.workspaces).hgetall(KEY.elsewhere).exec()) ?? []
    const [ids, elsewhere] = answers.map(([error, value]) => {
      if (error) throw error
      return value
    }) as [string[], Record<string, string>]
    return new Map(ids.map(id => [id, elsewhere[id] ?? MAIN_PROJECT]))
  }
  return {
    get,
    listOf,
    async find(owner, { key, orAlike = false, digests, profile, repository }) {
      if (key !== null) {
        const fields = ["workspace", "operation", "digest"] as const
        const [workspace, operation, known] = await redis.hmget(KEY.idempotency(owner, key), ...fields)
        if (workspace && operation) {
          if (!digests.includes(known ?? "")) throw keyReused()
          return { workspace, operation }
        }
        if (!orAlike) return null
      }
      const all = await listOf(owner)
      const isSame = (one: Workspace) => one.profile === profile && toText(one.repository) === toText(repository)
      const found = all.find(one => one.state === "PROVISIONING" && isSame(one))
      if (!found?.operation) return null
      const alike = { workspace: found.id, operation: found.operation }
      if (key !== null) {
        const record = KEY.idempotency(owner, key)
        await redis
          .multi()
          .hset(record, { ...alike, digest: digests[0] as string })
          .expire(record, IDEMPOTENCY_S)
          .exec()
      }
      return alike
    },
    ids: () => redis.smembers(KEY.workspaces),
    projects,
    async countByProject() {
      const counts = new Map<string, number>()
      for (const project of (await projects()).values()) counts.set(project, (counts.get(project) ?? 0) + 1)
      return counts
    },
    async create(info, asked, { key, orAlike = false, digest, quota, most = 0, repository = null, spare }) {
      const answer = (await scripts.create.run(
        redis,
        [
          KEY.workspace(info.id),
          KEY.operation(asked.id),
          KEY.workspacesOf(info.owner),
          KEY.workspaces,
          KEY.toDo,
          KEY.idempotency(info.owner, key ?? ""),
          KEY.changes,
          KEY.elsewhere,
          KEY.workspacesOf(WARM_POOL),
          KEY.secretsOf(info.id),
        ],
        [
          ...[info.id, JSON.stringify(info), info.createdAt, asked.id, JSON.stringify(asked), info.profile],
          ...[quota.profile, quota.total, key === null ? 0 : orAlike ? 2 : 1, digest, IDEMPOTENCY_S, PREFIX],
          ...[info.project ?? "", most, toText(repository)],
          ...[spare?.epoch ?? "", spare?.reportedSince ?? "", ...Object.entries(spare?.secrets ?? {}).flat()],
        ],
      )) as [string, string, string]
      const [word, workspace, id] = answer
      if (word === "created" || word === "existing") return { created: word === "created", workspace, operation: id }
      if (word === "name-taken")
        throw new ServiceError("name-taken", 503, "Its name is taken: try again.", { next: "retry" })
      if (word === "spare-gone")
        throw new ServiceError("spare-gone", 503, "The spare machine is taken: try again.", { next: "retry" })
      if (word === "project-full") throw new ServiceError("project-full", 503, "It is full by now.", { next: "retry" })
      throw refusal(word, info.profile, quota)
    },
    async begin(asked, { retry = false, givesWay = false, unchanged = {} } = {}) {
      const { from, during } = TRANSITIONS[asked.kind]
      const [word, detail, overtaken] = (await scripts.begin.run(
        redis,
        [
          ...[KEY.workspace(asked.workspace), KEY.operation(asked.id), KEY.operationsOf(asked.workspace)],
          ...[KEY.toDo, KEY.changes],
        ],
        [
          ...[asked.kind, during ?? "", `,${from.join(",")},`, asked.id, JSON.stringify(asked), asked.createdAt],
          ...[retry ? 1 : 0, PREFIX, givesWay ? 1 : 0, ...Object.entries(unchanged).flat()],
        ],
      )) as [string, string, string?]
      if (word === "begun" || word === "already") return { operation: detail, overtaken: overtaken || null }
      if (word === "missing")
        throw new ServiceError("not-found", 404, "There is no such workspace, or it is not yours.")
      if (word === "changed") {
        throw new ServiceError("changed-meanwhile", 409, "The workspace has changed meanwhile.", { next: "retry" })
      }
      if (word === "busy") {
        throw new ServiceError("busy", 409, `Its ${detail} goes on: wait until that is over.`, { next: "retry" })
      }
      throw illegal(asked.kind, detail as State)
    },
    async beginBeside(asked) {
      const { id, workspace, kind, createdAt } = asked
      const [word, detail] = (await scripts.beginBeside.run(
        redis,
        [
          ...[KEY.holder(workspace, kind), KEY.operation(id), KEY.operationsOf(workspace), KEY.toDo],
          KEY.workspace(workspace),
        ],
        [kind, id, JSON.stringify(asked), createdAt, PREFIX, BESIDE_S],
      )) as [string, string]
      if (word === "missing") throw notFound("workspace")
      return detail
    },
    async newestBeside(workspace, kind) {
      const newest = await redis.hget(KEY.holder(workspace, kind), "operation")
      return newest === null ? null : operation(newest)
    },
    async saved(id) {
      if (await redis.hexists(KEY.workspace(id), "info")) await redis.hset(KEY.workspace(id), "unsavedSince", "0")
    },
    going: async () => present(await Promise.all((await redis.zrange(KEY.toDo, "0", "-1")).map(operation))),
    failedSince: async (since, count) =>
      present(
        await Promise.all((await redis.zrevrangebyscore(KEY.failed, "+inf", since, "LIMIT", 0, count)).map(operation)),
      ),
    async changeSettings(id, changes) {
      const done = await scripts.settings.run(redis, [KEY.workspace(id)], [JSON.stringify(changes)])
      if (done !== 1) throw notFound("workspace")
    },
    operation,
    async forget(id) {
      const workspace = await get(id)
      if (workspace && workspace.state !== "TERMINATED") return
      const operations = await redis.zrange(KEY.operationsOf(id), "0", "-1")
      const its = operations.flatMap(one => [KEY.operation(one), KEY.eventsOf(one), KEY.spansOf(one)])
      await redis.set(KEY.released(id), 1, "EX", RELEASED_S)
      const parts = [KEY.operationsOf(id), KEY.secretsOf(id), KEY.conversationsOf(id), KEY.drift(id)]
      await redis.del(KEY.workspace(id), ...parts, ...its)
    },
    async operationsOf(workspace, count) {
      return present(
        await Promise.all((await redis.zrevrange(KEY.operationsOf(workspace), 0, count - 1)).map(operation)),
      )
    },
  }
}

/** A repository as it is stored; empty for none. */
const toText = (repository: Repository | null) => (repository ? JSON.stringify(repository) : "")

function refusal(word: string, profile: Profile, quota: { profile: number; total: number }): ServiceError {
  if (word === "key-reused") return keyReused()
  const limit =
    word === "quota-total" ? `${quota.total} workspaces in all` : `${quota.profile} of the profile ${profile}`
  return new ServiceError("quota-reached", 409, `You have as many workspaces as you may (${limit}): delete one first.`)
}

const keyReused = () =>
  new ServiceError(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key was used for another request: take a new one for a new workspace.",
  )

function illegal(kind: Kind, state: State): ServiceError {
  const words: Record<Kind, string> = {
    ...{ create: "created", start: "started", stop: "stopped", destroy: "deleted", backup: "backed up" },
    ...{ hibernate: "stopped", wake: "started", restore: "restored", resize: "given another size", move: "moved" },
    upgrade: "brought to a newer image",
    prove: "tried out",
    repair: "repaired",
  }
  return new ServiceError(
    "illegal-transition",
    409,
    `A workspace that is ${state} cannot be ${words[kind]}: wait until it has come to rest, or delete it.`,
  )
}
