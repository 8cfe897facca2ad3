import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import type { StackRecord } from "../../infra/stack-state.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Backups } from "../backups/backups.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { USERS } from "../users/users.ts"
import type { Images } from "../workspaces/images.ts"
import type { SizeCatalog } from "../workspaces/sizes.ts"
import { KEY } from "../workspaces/store.ts"
import { PROFILES } from "../workspaces/workspace.ts"
import { type RebuiltRecord, rebuiltRecord } from "./rebuilt-record.ts"

const rebuildScript = loadScript(new URL("lua/rebuild.lua", import.meta.url))

/** Says that the records in this Redis are those of the stacks; a Redis that was emptied does not have it. */
const WHOLE = `${PREFIX}records-whole`

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
 * Makes the records of workspaces again of which only stacks and labels tell: Redis was emptied, or an older one was
 * put back. Never touches a record that is there. @returns ids of those that were made again
 */
export async function rebuildRecords(means: RebuildMeans, signal?: AbortSignal): Promise<string[]> {
  const { redis, machines, backups, sizes, pool, cloud, machineUrl, log, now } = means
  const call = signal ? { signal } : {}
  const all = await pool.run<StackRecord[]>(cloud, { action: "records" }, call)
  const ours = all.filter(({ spec }) => spec.service === machineUrl)
  const others = all.filter(({ spec }) => spec.service !== machineUrl).map(({ workspace }) => workspace)
  if (others.length > 0) log.info({ workspaces: others }, "stacks that name another service, or none, are left alone")
  const known = await Promise.all(ours.map(({ workspace }) => redis.exists(KEY.workspace(workspace))))
  const lost = ours.filter((_, at) => known[at] === 0)
  const made: string[] = []
  if (lost.length > 0) {
    const [found, volumes, snapshots, types] = await Promise.all([
      machines.list({ [LABELS.managedBy]: MANAGER }, call),
      machines.listVolumes({ [LABELS.managedBy]: MANAGER }, call),
      backups.all(),
      sizes.all(),
    ])
    const workspaceOf = (one: { labels: Record<string, string> }) => one.labels[LABELS.workspace] ?? ""
    const carried = new Set(volumes.map(workspaceOf))
    const machineOf = new Map(found.map(one => [workspaceOf(one), one]))
    for (const stack of lost) {
      const record = rebuiltRecord(
        {
          stack,
          machine: machineOf.get(stack.workspace) ?? null,
          snapshots: snapshots.filter(({ workspace }) => workspace === stack.workspace),
          hasVolume: carried.has(stack.workspace),
          sizes: types,
          golden: await goldenOf(means, stack.spec.profile),
        },
        now(),
      )
      if (record && (await write(redis, record, now()))) made.push(stack.workspace)
    }
    log.warn({ workspaces: made.length }, "records of workspaces were lost and are made again out of stacks and labels")
  }
  await redis.set(WHOLE, now())
  return made
}

async function goldenOf({ images }: RebuildMeans, profile: string): Promise<number | null> {
  const known = PROFILES.find(one => one === profile)
  return known ? images.find(known).catch(() => null) : null
}

async function write(redis: Redis, record: RebuiltRecord, now: number): Promise<boolean> {
  const { info, state, epoch, machineId, ipv4, snapshot, stopMode, failure } = record
  const keys = [KEY.workspace(info.id), KEY.workspacesOf(info.owner), KEY.workspaces, USERS, KEY.changes]
  const done = await rebuildScript.run(redis, keys, [
    ...[info.id, info.owner, JSON.stringify(info), info.profile, state, now, epoch],
    ...[machineId ?? "", ipv4 ?? "", snapshot ?? "", stopMode ?? "", failure ? JSON.stringify(failure) : ""],
  ])
  return done === 1
}
