import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Machines } from "../../infra/machines/contract.ts"
import { inProject, MAIN_PROJECT, projectOf } from "../../infra/projects.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import { admits, type State } from "../workspaces/transitions.ts"
import type { WorkspaceInfo } from "../workspaces/workspace.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import { judgeSilence, SILENT_MS, type Suspicion, type Wrong } from "./verdict.ts"
import { RECONCILER } from "./words.ts"

/** What was found of silent machines, by workspace: a hash, so that another worker goes on with it. */
const SILENT = `${PREFIX}silent`
/** Machines that are asked for in one look: a request each. */
const AT_ONCE = 10

const BECAUSE: Record<Wrong, string> = {
  off: "its machine had been switched off",
  gone: "its machine is no longer at the provider",
}

/** Providers switch spot machines off when somebody else pays more; nobody can tell it from a hand that did. */
const TAKEN_BACK =
  "its machine had been switched off, which the provider may do with spot machines at any moment; its disk is there, start it again"

export interface ReconcileMeans {
  redis: Redis
  store: Pick<WorkspaceStore, "ids" | "projects">
  machines: Pick<Machines, "list">
  workspaces: Pick<Workspaces, "stop">
  log: Logger
  now: () => number
}

/**
 * Compares workspaces that are to be running with what their provider has, where the machine has not reported for a
 * while. One that was switched off, from within or by hand, has stopped: its record follows by an ordinary stop. One
 * that is gone ends as failed, with what to do. Costs nothing while all machines report.
 * @param without projects that are not asked now
 */
export async function reconcile(means: ReconcileMeans, without: ReadonlySet<string> = new Set()): Promise<void> {
  const { redis, machines, workspaces, log, now } = means
  const silent = await silentOf(means)
  const known = await redis.hgetall(SILENT)
  const still = new Set(silent.map(({ id }) => id))
  const past = Object.keys(known).filter(id => !still.has(id))
  if (past.length > 0) await redis.hdel(SILENT, ...past)
  const suspicionOf = (id: string) => (known[id] ? (JSON.parse(known[id]) as Suspicion) : null)
  const due = silent
    .filter(one => !without.has(projectOf(one)) && (suspicionOf(one.id)?.nextAt ?? 0) <= now())
    .slice(0, AT_ONCE)
  await Promise.all(
    due.map(async ({ id, epoch, isSpot, ...at }) => {
      const [machine = null] = await machines.list({ [LABELS.workspace]: id }, { project: projectOf(at) })
      const { wrong, suspicion } = judgeSilence(machine, epoch, suspicionOf(id), now())
      await redis.hset(SILENT, id, JSON.stringify(suspicion))
      if (!wrong) return
      log.warn({ workspace: id, found: wrong }, "a machine that is to be running is not")
      await workspaces
        // What is gone cannot be put away.
        .stop({ requestedBy: RECONCILER }, id, wrong === "gone" ? "power-off" : undefined, {
          unchanged: { epoch: String(epoch) },
          because: wrong === "off" && isSpot ? TAKEN_BACK : BECAUSE[wrong],
        })
        .catch(error => {
          // Somebody was first: the next look sees what is so.
          if (!(error instanceof ServiceError)) throw error
        })
    }),
  )
}

/** How many workspaces are to be running of which nothing is heard, though their provider says that they run. */
export async function countUnheard(redis: Redis): Promise<number> {
  const found = Object.values(await redis.hgetall(SILENT)).map(text => JSON.parse(text) as Suspicion)
  return found.filter(one => one.found === "on").length
}

interface Silent {
  id: string
  epoch: number
  isSpot: boolean
  /** Its project, where that is not the main one. */
  project?: string
}

async function silentOf({ redis, store, now }: ReconcileMeans): Promise<Silent[]> {
  const ids = await store.ids()
  const asked = redis.pipeline()
  const homes = await store.projects()
  for (const id of ids) asked.hmget(KEY.workspace(id), "state", "epoch", "since", "reportedAt", "info")
  const answers = (await asked.exec()) ?? []
  return ids.flatMap((id, at) => {
    const [error, values] = answers[at] ?? []
    if (error || !Array.isArray(values)) return []
    const [state, epoch, since, reportedAt, info] = values as (string | null)[]
    const heard = Math.max(Number(since ?? 0), Number(reportedAt ?? 0))
    if (!state || !admits(state as State) || now() - heard <= SILENT_MS) return []
    const { market } = JSON.parse(info ?? "{}") as Partial<WorkspaceInfo>
    const home = inProject(homes.get(id) ?? MAIN_PROJECT)
    return [{ id, epoch: Number(epoch), isSpot: market === "spot", ...home }]
  })
}
