import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Machines } from "../../infra/machines/contract.ts"
import { inProject, projectOf } from "../../infra/projects.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import type { Certificates } from "../certificates/certificates.ts"
import type { Config } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { isOver } from "../operations/operation.ts"
import { URGENCY, urgencyOf } from "../operations/urgency.ts"
import type { Projects } from "../projects/projects.ts"
import { loadScript } from "../redis/scripts.ts"
import type { Beginnings } from "../workspaces/begin.ts"
import type { Images } from "../workspaces/images.ts"
import { newWorkspaceId } from "../workspaces/names.ts"
import { offeredSizes, type SizeCatalog } from "../workspaces/sizes.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace, WorkspaceInfo } from "../workspaces/workspace.ts"
import { createDemand } from "./demand.ts"
import { type PoolFacts, planPool, type SpareFacts, wantedOf } from "./plan.ts"
import { keyOfKind, type WarmKind } from "./settings.ts"
import { machineOf, mayBeTaken, WARM_COUNTS } from "./spares.ts"
import { createWaits } from "./waits.ts"
import { SPARE_UNKNOWN, WARM_POOL } from "./words.ts"

const dropScript = loadScript(new URL("lua/drop.lua", import.meta.url))

/** Share of the operations that may go on at once which the pool takes at most. */
const SHARE = 0.25
/** Share of a project's workspaces that spare machines may not fill: people's next ones find room. */
const LEFT_FREE = 0.1

/** The spare machines of one kind, for operators. */
export interface WarmShown extends WarmKind {
  kind: string
  /** As many as there always are; `count` are wanted now. */
  least: number
  /** Could be taken now. */
  ready: number
  /** Being made. */
  coming: number
  /** Being thrown away, or to be. */
  leaving: number
  /** What they cost a month, by currency, all together. */
  costs: { currency: string; monthly: number }[]
  /** When the oldest was made, ms since 1970; null: there is none. */
  oldest: number | null
  /** How often a creation found one, and none. */
  taken: number
  missed: number
  /** None is made now, since the last ones did not come to be. */
  isWaiting: boolean
}

export interface WarmPool {
  /** Brings the pool one step nearer to what the settings say. @param without projects that are left alone now */
  look(without?: ReadonlySet<string>): Promise<void>
  shown(): Promise<WarmShown[]>
}

export interface WarmMeans {
  redis: Redis
  config: Pick<Config, "warm" | "providers" | "operationsPerProvider" | "projectWorkspaces">
  store: WorkspaceStore
  machines: Pick<Machines, "list">
  images: Pick<Images, "find">
  sizes: Pick<SizeCatalog, "all">
  projects: Pick<Projects, "at" | "place">
  beginnings: Beginnings
  certificates: Pick<Certificates, "waiting">
  log: Logger
  now: () => number
}

/** Keeps spare machines, which creations take (see spares.ts): of each kind as many as the settings say, within their money. */
export function createWarmPool(means: WarmMeans): WarmPool {
  const { redis, config, store, machines, images, sizes, projects, beginnings, certificates, log, now } = means
  const { warm: settings, operationsPerProvider } = config
  const waits = createWaits(redis, now)
  const demand = createDemand(redis, now)

  async function factsOf(spare: Workspace): Promise<SpareFacts> {
    const [operation, newest] = await Promise.all([
      spare.operation ? store.operation(spare.operation) : null,
      // Where nobody can tell, it stays.
      images.find(spare.profile, projectOf(spare)).catch(() => null),
    ])
    return {
      ...spare,
      isBusy: operation !== null && !isOver(operation),
      isCurrent: newest === null || newest === spare.image,
    }
  }

  /** The type that stands for a kind's class now, where it can be had. */
  async function typeOf({ provider, region, sizeClass }: WarmKind) {
    const all = await sizes.all(provider)
    const { size } = offeredSizes(all, [region], provider).find(one => one.class === sizeClass) ?? {}
    const place = size?.regions[region]
    return size && place?.available ? { size: size.name, price: place.price } : null
  }

  async function gather(spares: Workspace[]): Promise<PoolFacts> {
    const [facts, types, giving, going, namesWanted, asked] = await Promise.all([
      Promise.all(spares.map(factsOf)),
      Promise.all(settings.kinds.map(async kind => [keyOfKind(kind), await typeOf(kind).catch(() => null)] as const)),
      waits.giving(),
      store.going(),
      certificates.waiting(),
      demand.busiest(settings.kinds.map(keyOfKind)),
    ])
    const running = facts.filter(one => one.state === "RUNNING")
    const well = new Map(
      [...Map.groupBy(running, keyOfKind)].map(([kind, its]) => [kind, Math.max(...its.map(one => one.createdAt))]),
    )
    // Somebody waits for a place among the operations.
    const isWaitedFor = going.some(one => one.state === "queued" && urgencyOf(one) !== URGENCY.chore)
    return {
      ...{ settings, spares: facts, giving, now: now(), waiting: await waits.now(well) },
      isNameWanted: namesWanted > 0,
      demand: asked,
      prices: new Map(types.flatMap(([kind, type]) => (type ? [[kind, type.price] as const] : []))),
      atOnce: isWaitedFor ? 0 : Math.max(1, Math.floor(operationsPerProvider * SHARE)),
    }
  }

  /** @param known how many spare machines there are: where one more has come meanwhile, none is made */
  async function make(kind: WarmKind, known: number, without: ReadonlySet<string>): Promise<boolean> {
    const { provider, region, profile, sizeClass } = kind
    const type = await typeOf(kind)
    if (!type) return false
    const among = projects.at(provider).filter(one => !without.has(one))
    const { project, image } = await projects.place(profile, { provider, among, isSpare: true })
    const id = newWorkspaceId()
    const { market } = config.providers[provider]
    const info: WorkspaceInfo = {
      ...{ id, owner: WARM_POOL, name: id, profile, provider, region, sizeClass, ...type, image, createdAt: now() },
      ...(market === undefined ? {} : { market }),
      ...inProject(project),
    }
    const operation = await beginnings.asked(info, "create", { by: WARM_POOL })
    const most = Math.floor(config.projectWorkspaces * (1 - LEFT_FREE))
    const { operation: begun } = await store.create(info, operation, {
      ...{ key: operation.id, digest: operation.id, quota: { profile: known + 1, total: known + 1 } },
      most: config.projectWorkspaces === 0 ? 0 : Math.max(1, most),
    })
    await beginnings.hint(begun)
    return true
  }

  /** Has it deleted; where the provider says that it is somebody's, its record goes alone. */
  async function remove(spare: Workspace): Promise<void> {
    const { id, epoch } = spare
    const machine = await machineOf(machines, spare)
    const owner = machine?.labels[LABELS.owner] ?? WARM_POOL
    if (owner !== WARM_POOL) {
      const keys = [KEY.workspace(id), KEY.workspacesOf(WARM_POOL), KEY.workspaces, KEY.elsewhere, KEY.changes]
      await dropScript.run(redis, keys, [id, epoch, now()])
      log.error(
        { workspace: id, owner },
        "a spare machine has an owner, as its provider says: its record is made again",
      )
      return
    }
    await beginnings.begin({ requestedBy: WARM_POOL }, spare, "destroy", {
      ...{ unchanged: { epoch: String(epoch) }, wish: { leavesNothing: true } },
    })
  }

  return {
    async look(without = new Set()) {
      if (!(await mayBeTaken(redis))) return
      const spares = (await store.listOf(WARM_POOL)).filter(one => !without.has(projectOf(one)))
      if (spares.length === 0 && (settings.kinds.length === 0 || settings.monthly === 0)) return
      const plan = planPool(await gather(spares))
      for (const { id, kind, why } of plan.remove) {
        const spare = spares.find(one => one.id === id) as Workspace
        if (spare.state === "FAILED" && spare.failure?.id !== SPARE_UNKNOWN) await waits.failed(kind)
        log.info({ workspace: id, kind, why }, "a spare machine is thrown away")
        await remove(spare).catch(error => {
          // Somebody took it, or something goes on: the next look sees what is so.
          if (!(error instanceof ServiceError)) throw error
        })
      }
      // With those that a project which is left alone has.
      let known = (await store.listOf(WARM_POOL)).length
      if (known !== spares.length) return
      for (const kind of plan.make) {
        const key = keyOfKind(kind)
        try {
          if (await make(kind, known, without)) known++
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error
          // Another process was first.
          if (error.id === "quota-reached") return
          await waits.failed(key)
          log.warn({ kind: key, why: error.id }, "a spare machine could not be made; it is tried again later")
        }
      }
    },
    async shown() {
      const [all, counts, asked] = await Promise.all([
        store.listOf(WARM_POOL),
        redis.hgetall(WARM_COUNTS),
        demand.busiest(settings.kinds.map(keyOfKind)),
      ])
      const waiting = await waits.now(new Map())
      const byKind = Map.groupBy(all, keyOfKind)
      const others = [...byKind].flatMap(([key, [one]]) =>
        one && !settings.kinds.some(kind => keyOfKind(kind) === key) ? [{ ...kindIn(one), count: 0, most: 0 }] : [],
      )
      return [...settings.kinds, ...others].map(kind => {
        const key = keyOfKind(kind)
        const its = byKind.get(key) ?? []
        const count = (...states: string[]) => its.filter(one => states.includes(one.state)).length
        const [ready, coming] = [count("RUNNING"), count("PROVISIONING")]
        const prices = its.flatMap(one => one.price ?? [])
        return {
          ...{ ...kind, kind: key, ready, coming, least: kind.count },
          ...{ count: settings.monthly === 0 ? 0 : wantedOf(kind, asked) },
          leaving: its.length - ready - coming,
          costs: [...Map.groupBy(prices, one => one.currency)].map(([currency, those]) => ({
            currency,
            monthly: those.reduce((sum, one) => sum + one.monthly, 0),
          })),
          oldest: its.length === 0 ? null : Math.min(...its.map(one => one.createdAt)),
          taken: Number(counts[`taken ${key}`] ?? 0),
          missed: Number(counts[`missed ${key}`] ?? 0),
          isWaiting: waiting.has(key),
        }
      })
    },
  }
}

const kindIn = ({ provider, region, sizeClass, profile }: Workspace) => ({ provider, region, sizeClass, profile })
