import type { Redis } from "ioredis"
import type { HeldResource, Lenient, Machines } from "../../infra/machines/contract.ts"
import { planSweep, type SweepPlan } from "../../infra/sweep.ts"
import { PREFIX } from "../redis/connect.ts"
import type { Ledger } from "../usage/ledger.ts"
import { monthOf } from "../usage/months.ts"
import { CHORES_PATIENCE_MS } from "../workspaces/providers.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { areRecordsWhole, type RebuildMeans, rebuildRecords } from "./rebuild.ts"
import { settleRestored } from "./restored.ts"

/** What was found without a workspace, and when first: a hash, so that a restart or another worker goes on with it. */
const SUSPECTS = `${PREFIX}sweep:suspects`

export interface SweepMeans extends RebuildMeans {
  store: Pick<WorkspaceStore, "ids" | "projects">
  machines: Pick<Machines, "list" | "listVolumes" | "heldResources" | "removeResources">
  ledger: Pick<Ledger, "linesFor">
}

/** What the newest sweep found, as JSON. */
const LAST = `${PREFIX}sweep:last`

/** What a sweep found, for operators. Times are milliseconds since 1970. */
export interface SweepReport {
  at: number
  /** Resources of all workspaces. */
  held: number
  /** Projects that did not answer, or fail too much to be asked: what they have was not looked at. */
  away?: string[]
  resources: {
    workspace: string
    type: string
    id: string
    /** `removed`, or what would be; `waits` until it is old enough; `too-many` and `foreign` are for a person to judge. */
    verdict: "removed" | "would-go" | "waits" | "too-many" | "foreign"
    until: number | null
  }[]
}

export const lastSweep = async (redis: Redis): Promise<SweepReport | null> => {
  const text = await redis.get(LAST)
  return text === null ? null : (JSON.parse(text) as SweepReport)
}

const told = (some: HeldResource[]) => some.map(({ workspace, type, id }) => ({ workspace, type, id }))

function reportOf(
  plan: SweepPlan,
  { at, held, away, verdict }: { at: number; held: number; away: string[]; verdict: "removed" | "would-go" },
): SweepReport {
  const each = (some: HeldResource[], word: SweepReport["resources"][number]["verdict"]) =>
    told(some).map(one => ({ ...one, verdict: word, until: null }))
  return {
    ...{ at, held, away },
    resources: [
      ...[...each(plan.remove, verdict), ...each(plan.tooMany, "too-many"), ...each(plan.foreign, "foreign")],
      ...plan.waits.flatMap(({ resource, until }) =>
        told([resource]).map(one => ({ ...one, verdict: "waits" as const, until })),
      ),
    ],
  }
}

/** Looks at the provider and says what is to go, changing nothing. */
async function judge(means: SweepMeans, held: HeldResource[], wanted: ReadonlySet<string>): Promise<SweepPlan> {
  const { redis, store, ledger, now } = means
  const known = Object.entries(await redis.hgetall(SUSPECTS)).map(([key, at]) => [key, Number(at)] as const)
  const had = new Set((await ledger.linesFor(monthOf(now()), null)).map(line => line.workspace))
  return planSweep({ held, wanted, homes: await store.projects(), had, suspects: new Map(known), now: now() })
}

/** What a sweep would do now, and why the rest stays; changes nothing. */
export async function drySweep(means: SweepMeans, signal?: AbortSignal): Promise<SweepReport> {
  const { store, machines, pool, cloud, now } = means
  const { held, away } = await heldNow(machines, { patienceMs: LOOK_PATIENCE_MS }, signal)
  const stacks = await pool.run<string[]>(cloud, { action: "names" }, signal ? { signal } : {})
  const plan = await judge(means, held, new Set([...(await store.ids()), ...stacks]))
  return reportOf(plan, { at: now(), held: held.length, away, verdict: "would-go" })
}

/** The same where an operator waits for what it would do, milliseconds. */
const LOOK_PATIENCE_MS = 10_000

/** What those have that answer: of a project that is away nothing is without a workspace, and nothing is removed. */
async function heldNow(
  machines: SweepMeans["machines"],
  about: Pick<Lenient, "patienceMs" | "without">,
  signal?: AbortSignal,
) {
  const away: string[] = []
  const lenient = { ...about, away: (one: string) => away.push(one) }
  const held = await machines.heldResources({ lenient, ...(signal ? { signal } : {}) })
  return { held, away }
}

/**
 * Makes records again that single workspaces have lost, and removes at the provider what no workspace has any more, see
 * infra/sweep.ts.
 * @param without projects that are not asked now
 * @returns what was removed, and how many resources there are; no report where the records are still being made again
 *   after a start, when nothing is swept
 */
export async function sweep(
  means: SweepMeans,
  signal?: AbortSignal,
  without?: ReadonlySet<string>,
): Promise<{ removed: HeldResource[]; held: number; report: SweepReport | null }> {
  const { redis, store, machines, pool, cloud, log, now } = means
  // What nobody seems to have may have an owner in a moment.
  if (!(await areRecordsWhole(redis))) return { removed: [], held: 0, report: null }
  await settleRestored(means, signal)
  // The provider first: what is made after this look has its record by the time the records are read.
  const { held, away } = await heldNow(
    machines,
    { patienceMs: CHORES_PATIENCE_MS, ...(without ? { without } : {}) },
    signal,
  )
  let wanted = new Set(await store.ids())
  if (held.some(one => !wanted.has(one.workspace))) {
    if ((await rebuildRecords(means, signal, new Set(away))).length > 0) wanted = new Set(await store.ids())
    // A stack is a wish too: an operator's own, or that of a workspace whose record was lost.
    const stacks = await pool.run<string[]>(cloud, { action: "names" }, signal ? { signal } : {})
    for (const name of stacks) wanted.add(name)
  }
  const plan = await judge(means, held, wanted)
  const { remove, suspects, tooMany, foreign } = plan
  const change = redis.multi().del(SUSPECTS)
  if (suspects.size > 0) change.hset(SUSPECTS, Object.fromEntries(suspects))
  await change.exec()
  if (tooMany.length > 0)
    log.error(
      { resources: told(tooMany) },
      "so much at the provider has no workspace that the records must be wrong: nothing was removed; compare FOOZOL_BACKEND_URL and Redis with what was used before",
    )
  if (foreign.length > 0)
    log.warn(
      { resources: told(foreign) },
      "these carry our label and belong to no workspace that this service ever had: left alone",
    )
  const removed: HeldResource[] = []
  for (const workspace of new Set(remove.map(one => one.workspace))) {
    const its = remove.filter(one => one.workspace === workspace)
    try {
      await machines.removeResources(its, signal ? { signal } : {})
      removed.push(...its)
      log.warn({ resources: told(its) }, "these were made for a workspace that nobody has any more: removed")
    } catch (error) {
      // The next look comes again; what others have left goes meanwhile.
      log.error({ err: error, resources: told(its) }, "what nobody has any more could not be removed")
    }
  }
  const report = reportOf({ ...plan, remove: removed }, { at: now(), held: held.length, away, verdict: "removed" })
  await redis.set(LAST, JSON.stringify(report))
  return { removed, held: held.length, report }
}
