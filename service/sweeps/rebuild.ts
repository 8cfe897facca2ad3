import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { type CloudConfig, placesOf } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { ImageId } from "../../infra/image-id.ts"
import type { Lenient, Machines, Size } from "../../infra/machines/contract.ts"
import { SNAPSHOT_LABELS } from "../../infra/machines/snapshots.ts"
import { projectOf } from "../../infra/projects.ts"
import type { StackRecord } from "../../infra/stack-state.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Backups } from "../backups/backups.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { USERS } from "../users/users.ts"
import { isSpare } from "../warm/words.ts"
import type { Images } from "../workspaces/images.ts"
import { askEach, CHORES_PATIENCE_MS } from "../workspaces/providers.ts"
import type { SizeCatalog } from "../workspaces/sizes.ts"
import { KEY } from "../workspaces/store.ts"
import { PROFILES } from "../workspaces/workspace.ts"
import { type RebuiltRecord, type RecordedSpec, rebuiltRecord } from "./rebuilt-record.ts"
import { forgetUnrecorded, specOfMachine, unrecordedMachines } from "./unrecorded-machines.ts"

const rebuildScript = loadScript(new URL("lua/rebuild.lua", import.meta.url))

/** Says that the records in this Redis are those of the stacks; a Redis that was emptied does not have it. */
const WHOLE = `${PREFIX}records-whole`
/** When it was first seen that they are not, milliseconds since 1970. */
const LOST = `${PREFIX}records-lost`
/**
 * What was under way when the records were lost has ended after so long: the lease of 15 s is missed, the engine has its
 * grace of 10 s. Before that, what a look at the provider finds may be gone a moment later.
 */
const ENDING_MS = 30_000

/** Records that are written at the same time. */
const AT_ONCE = 50

export interface RebuildMeans {
  redis: Redis
  machines: Pick<Machines, "list" | "listVolumes">
  images: Pick<Images, "find">
  backups: Pick<Backups, "all">
  sizes: Pick<SizeCatalog, "all">
  pool: Pick<EnginePool, "run">
  cloud: CloudConfig
  /** Address of the service as machines reach it: stacks that name another one are somebody else's. */
  machineUrl: string
  log: Logger
  now: () => number
}

/** Were the records made again, or compared, since this Redis was last emptied? */
export async function areRecordsWhole(redis: Redis): Promise<boolean> {
  return (await redis.exists(WHOLE)) === 1
}

/**
 * Makes the records again when they were lost and nothing of what was under way goes on any more.
 * @returns whether the records are whole now
 */
export async function restoreRecords(means: RebuildMeans, signal?: AbortSignal): Promise<boolean> {
  const { redis, pool, cloud, now } = means
  if (await areRecordsWhole(redis)) return true
  const stacks = await pool.run<string[]>(cloud, { action: "names" }, signal ? { signal } : {})
  if (stacks.length > 0) {
    await redis.set(LOST, now(), "NX")
    if (now() - Number(await redis.get(LOST)) < ENDING_MS) return false
  }
  await rebuildRecords(means, signal)
  return areRecordsWhole(redis)
}

/**
 * Makes the records of workspaces again of which only stacks and labels tell: Redis was emptied, or an older one was
 * put back. Never touches a record that is there. What is in a project that does not answer waits for the next look.
 * @param without projects that are not asked now
 * @returns ids of those that were made again
 */
export async function rebuildRecords(
  means: RebuildMeans,
  signal?: AbortSignal,
  without: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const { redis, machines, backups, pool, cloud, machineUrl, log, now } = means
  const call = signal ? { signal } : {}
  const away = new Set(without)
  const lenient: Lenient = { patienceMs: CHORES_PATIENCE_MS, away: one => away.add(one), without }
  const all = await pool.run<StackRecord[]>(cloud, { action: "records" }, call)
  const places = placesOf(cloud)
  const named = new Set(places.names)
  const ofService = all.filter(({ spec }) => spec.service === machineUrl)
  const ours = ofService.filter(({ spec }) => named.has(projectOf(spec)))
  for (const { workspace, spec } of ofService) {
    // What its machine is like cannot be seen from here.
    if (!named.has(projectOf(spec)))
      log.error({ workspace, project: spec.project }, "no setting names the project of this workspace")
  }
  const others = all.filter(({ spec }) => spec.service !== machineUrl).map(({ workspace }) => workspace)
  if (others.length > 0) log.info({ workspaces: others }, "stacks that name another service, or none, are left alone")
  const known = await Promise.all(ours.map(({ workspace }) => redis.exists(KEY.workspace(workspace))))
  const lost = ours.filter((_, at) => known[at] === 0)
  const made: string[] = []
  let left = 0
  const later = await unrecordedMachines(redis)
  if (lost.length > 0 || later.size > 0) {
    const [there, volumes, snapshots, types] = await Promise.all([
      machines.list({ [LABELS.managedBy]: MANAGER }, { ...call, lenient }),
      machines.listVolumes({ [LABELS.managedBy]: MANAGER }, { ...call, lenient }),
      backups.all(lenient),
      sizesOfThoseThere(means, away),
    ])
    const workspaceOf = (one: { labels: Record<string, string> }) => one.labels[LABELS.workspace] ?? ""
    const machineOf = new Map(there.map(one => [workspaceOf(one), one]))
    const volumesOf = Map.groupBy(volumes, workspaceOf)
    const snapshotsOf = Map.groupBy(snapshots, one => one.workspace)
    const stacks = new Set(all.map(({ workspace }) => workspace))
    const unrecorded = there.flatMap(one =>
      stacks.has(workspaceOf(one)) ? [] : (specOfMachine(one, later, places) ?? []),
    )
    const found = [...lost, ...unrecorded.map(spec => ({ workspace: spec.workspace, spec }))]
    const missing = found.filter(({ spec }) => !away.has(projectOf(spec)))
    left = found.length - missing.length
    const kinds = new Map(missing.map(({ spec }) => [goldenKey(spec), spec]))
    const golden = new Map(
      await Promise.all([...kinds].map(async ([key, spec]) => [key, await goldenOf(means, spec)] as const)),
    )
    const recordOf = (stack: (typeof missing)[number]) =>
      rebuiltRecord(
        {
          stack,
          machine: machineOf.get(stack.workspace) ?? null,
          snapshots: snapshotsOf.get(stack.workspace) ?? [],
          carriedBy: carriedBy(volumesOf.get(stack.workspace)),
          sizes: types,
          golden: golden.get(goldenKey(stack.spec)) ?? null,
        },
        now(),
      )
    // Redis brings what comes together to its disk together.
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      await Promise.all(
        missing.slice(at, at + AT_ONCE).map(async stack => {
          const record = recordOf(stack)
          await forgetUnrecorded(redis, stack.workspace)
          if (record && (await write(redis, record, now()))) made.push(stack.workspace)
        }),
      )
    }
    if (made.length > 0)
      log.warn(
        { workspaces: made.length },
        "records of workspaces were lost and are made again out of stacks and labels",
      )
  }
  if (left > 0)
    log.warn(
      { workspaces: left, projects: [...away] },
      "records of workspaces were lost whose projects do not answer: they are made again when those do",
    )
  else await redis.multi().set(WHOLE, now()).del(LOST).exec()
  return made
}

/** What all providers sell: types of one are none of another. */
export async function allSizes({ sizes, cloud }: Pick<RebuildMeans, "sizes" | "cloud">): Promise<Size[]> {
  return (await Promise.all(placesOf(cloud).providers.map(sizes.all))).flat()
}

/** The same, without those that are away: their projects are. */
async function sizesOfThoseThere({ sizes, cloud }: RebuildMeans, away: Set<string>): Promise<Size[]> {
  const { names, providers, providerOf } = placesOf(cloud)
  const asked = providers.filter(one => names.some(name => providerOf(name) === one && !away.has(name)))
  const { answers, away: silent } = await askEach(asked, sizes.all, CHORES_PATIENCE_MS)
  for (const name of names) if (silent.includes(providerOf(name))) away.add(name)
  return answers.flat()
}

/** Operations for which something was brought onto these volumes of a workspace. */
export const carriedBy = (volumes: { labels: Record<string, string> }[] = []): ReadonlySet<string> =>
  new Set(volumes.map(one => one.labels[SNAPSHOT_LABELS.operation] ?? ""))

/** Each project of the provider has images of its own. */
const goldenKey = (spec: RecordedSpec) => `${projectOf(spec)}/${spec.profile}`

async function goldenOf({ images }: RebuildMeans, spec: RecordedSpec): Promise<ImageId | null> {
  const known = PROFILES.find(one => one === spec.profile)
  return known ? images.find(known, projectOf(spec)).catch(() => null) : null
}

async function write(redis: Redis, record: RebuiltRecord, now: number): Promise<boolean> {
  const { info, state, epoch, machineId, ipv4, snapshot, stopMode, failure, accepted } = record
  const keys = [KEY.workspace(info.id), KEY.workspacesOf(info.owner), KEY.workspaces, USERS, KEY.changes, KEY.elsewhere]
  const done = await rebuildScript.run(redis, keys, [
    // Nobody has a spare machine.
    ...[info.id, isSpare(info) ? "" : info.owner, JSON.stringify(info), info.profile, state, now, epoch],
    ...[machineId ?? "", ipv4 ?? "", snapshot ?? "", stopMode ?? "", failure ? JSON.stringify(failure) : ""],
    info.project ?? "",
    ...accepted.flatMap(one => [`accepted:${one.id}`, JSON.stringify(one)]),
  ])
  return done === 1
}
