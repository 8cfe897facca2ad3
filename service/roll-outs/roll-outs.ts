import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { projectOf } from "../../infra/projects.ts"
import { ServiceError } from "../errors.ts"
import { isOver } from "../operations/operation.ts"
import { PREFIX } from "../redis/connect.ts"
import { isSpare } from "../warm/words.ts"
import type { Images } from "../workspaces/images.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import {
  nextStep,
  type Outdated,
  planRollOut,
  ROLL_OUT,
  type RollOutPlan,
  type RollOutSettings,
  type Wave,
} from "./plan.ts"

const KEY = `${PREFIX}roll-out`

/** The newest roll-out. Times are milliseconds since 1970. */
export interface RollOut {
  settings: RollOutSettings
  begunAt: number
  /** Login name of the operator. */
  by: string
  /** How many were outdated at its beginning. */
  total: number
  state: "running" | "stopped" | "done"
  /** Why it stopped, or what is left. */
  why: string | null
  waves: {
    begunAt: number
    workspaces: number
    running: number
    succeeded: number
    failed: number
    /** Those whose upgrade could not be begun. */
    skipped: number
  }[]
}

/** Brings all workspaces to the newest images, wave by wave. What it has done stands in Redis; any worker goes on. */
export interface RollOuts {
  /** What `begin` would do now. @throws as `begin` does */
  plan(settings: RollOutSettings): Promise<RollOutPlan>
  /** @throws ServiceError `roll-out-running` or `up-to-date` */
  begin(settings: RollOutSettings, by: string): Promise<RollOut>
  /** Begins no new wave; what has begun comes to its end. */
  stop(by: string): Promise<RollOut | null>
  get(): Promise<RollOut | null>
  /** Goes on with the one that runs, if there is one; bears being called twice at once. */
  step(): Promise<void>
}

interface Means {
  redis: Redis
  store: WorkspaceStore
  images: Images
  workspaces: Pick<Workspaces, "upgrade">
  log: Logger
  now: () => number
}

type Begun = Pick<RollOut, "settings" | "begunAt" | "by" | "total">

export function createRollOuts({ redis, store, images, workspaces, log, now }: Means): RollOuts {
  async function outdated(): Promise<Outdated[]> {
    const all = await Promise.all((await store.ids()).map(store.get))
    const found = await Promise.all(
      all.map(async one => {
        const newest = one && (await images.find(one.profile, projectOf(one)))
        // Spare machines of an older image are thrown away.
        const isOld = one !== null && !isSpare(one) && newest !== null && newest !== one.image
        return isOld ? { id: one.id, state: one.state, asleep: one.snapshot !== null } : null
      }),
    )
    return found.filter(one => one !== null)
  }

  async function read(): Promise<{ begun: Begun; waves: Wave[]; end: string | null } | null> {
    const { begun, waves, end } = await redis.hgetall(KEY)
    if (!begun) return null
    return { begun: JSON.parse(begun) as Begun, waves: waves ? (JSON.parse(waves) as Wave[]) : [], end: end ?? null }
  }

  /** How the operations of a wave stand. One that is forgotten was over long ago. */
  async function count({ operations }: Wave) {
    const all = await Promise.all(Object.values(operations).map(id => (id === null ? null : store.operation(id))))
    const running = all.filter(one => one !== null && !isOver(one)).length
    const failed = all.filter(one => one?.state === "failed").length
    // Its owner's budget is used up, or it was just deleted: no fault of the image's.
    const skipped = Object.values(operations).filter(id => id === null).length
    return { workspaces: all.length, running, failed, skipped, succeeded: all.length - running - failed - skipped }
  }

  async function get(): Promise<RollOut | null> {
    const found = await read()
    if (!found) return null
    const { begun, waves, end } = found
    const [word, ...why] = end?.split(" ") ?? []
    return {
      ...begun,
      state: word === undefined ? "running" : word === "done" ? "done" : "stopped",
      why: why.join(" ") || null,
      waves: await Promise.all(waves.map(async wave => ({ begunAt: wave.begunAt, ...(await count(wave)) }))),
    }
  }

  async function plan(settings: RollOutSettings): Promise<RollOutPlan> {
    const known = await read()
    if (known && known.end === null) {
      throw new ServiceError("roll-out-running", 409, "A roll-out runs already: wait for its end, or stop it first.")
    }
    const found = planRollOut(settings, await outdated())
    if (found.total === 0) throw new ServiceError("up-to-date", 409, "Every workspace is of the newest image already.")
    return found
  }

  async function begin(settings: RollOutSettings, by: string): Promise<RollOut> {
    const { total } = await plan(settings)
    const begun: Begun = { settings, by, total, begunAt: now() }
    await redis.multi().del(KEY).hset(KEY, "begun", JSON.stringify(begun)).exec()
    log.info({ by, total, settings }, "a roll-out of newer images begins")
    return (await get()) as RollOut
  }

  /** The first word stands: whoever is later ends nothing. */
  const conclude = async (word: "done" | "stopped", why: string) => {
    if ((await redis.hsetnx(KEY, "end", `${word} ${why}`.trim())) === 1) log.warn({ why }, `the roll-out is ${word}`)
  }

  async function step(): Promise<void> {
    const found = await read()
    if (!found || found.end !== null) return
    const { begun, waves } = found
    const last = waves.at(-1)
    const end = last ? await count(last) : { running: 0, failed: 0 }
    const next = nextStep(begun.settings, waves, end, await outdated(), begun.total)
    if (next.do === "stop") return conclude("stopped", next.why)
    if (next.do === "done") return conclude("done", next.left > 0 ? `${next.left} sleep or have failed.` : "")
    if (next.do === "wait") return
    const operations: Wave["operations"] = {}
    for (const id of next.workspaces) {
      const operation = await workspaces.upgrade({ requestedBy: ROLL_OUT }, id).catch(error => {
        // A backup or a repair goes on: it is taken by a later wave.
        if ((error as { id?: string }).id === "busy") return "later"
        log.warn({ err: error, workspace: id }, "it could not be upgraded")
        return null
      })
      if (operation !== "later") operations[id] = operation
    }
    if (Object.keys(operations).length === 0) return
    // Written down afterwards: cut off before, what was begun is under way, and the next wave is the smaller for it.
    await redis.hset(KEY, "waves", JSON.stringify([...waves, { begunAt: now(), operations }]))
  }

  return {
    plan,
    begin,
    get,
    step,
    async stop(by) {
      if (await read()) await conclude("stopped", `${by} has stopped it.`)
      return get()
    },
  }
}
