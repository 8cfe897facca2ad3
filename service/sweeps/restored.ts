import type { StackRecord } from "../../infra/stack-state.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { loadScript } from "../redis/scripts.ts"
import { RESTORED, readRestored } from "../state-backup/mark.ts"
import { KEY } from "../workspaces/store.ts"
import type { State } from "../workspaces/transitions.ts"
import { type Place, parseWorkspace, type Workspace } from "../workspaces/workspace.ts"
import { allSizes, carriedBy, type RebuildMeans } from "./rebuild.ts"
import { type RebuiltRecord, type RecordedSpec, rebuiltRecord } from "./rebuilt-record.ts"

const settleScript = loadScript(new URL("lua/settle.lua", import.meta.url))

/**
 * After a restore: what the provider has is newer than what was in the backup, and is what counts. Each record that says
 * otherwise is brought to it: a workspace that was put away, woken, resized or moved since, one whose operation was cut
 * off. One of which there is nothing any more has FAILED, and its owner deletes it. What has no record, see rebuild.ts.
 */
export async function settleRestored(means: RebuildMeans, signal?: AbortSignal): Promise<string[]> {
  const { redis, machines, backups, pool, cloud, log, now } = means
  const mark = await readRestored(redis)
  if (!mark || mark.settled) return []
  const call = signal ? { signal } : {}
  const of = (one: { labels: Record<string, string> }) => one.labels[LABELS.workspace] ?? ""
  const [stacks, found, volumes, snapshots, types, ids] = await Promise.all([
    pool.run<StackRecord[]>(cloud, { action: "records" }, call),
    machines.list({ [LABELS.managedBy]: MANAGER }, call),
    machines.listVolumes({ [LABELS.managedBy]: MANAGER }, call),
    backups.all(),
    allSizes(means),
    redis.smembers(KEY.workspaces),
  ])
  const specs = new Map(stacks.map(({ workspace, spec }) => [workspace, spec]))
  const machineOf = new Map(found.map(one => [of(one), one]))
  const volumesOf = Map.groupBy(volumes, of)
  const settled: string[] = []
  for (const id of ids) {
    const workspace = parseWorkspace(await redis.hgetall(KEY.workspace(id)))
    if (!workspace) continue
    const machine = machineOf.get(id) ?? null
    const its = snapshots.filter(one => one.workspace === id)
    const sleep = its.filter(one => one.kind === "sleep" && one.available).sort((a, b) => b.createdAt - a.createdAt)[0]
    const { region, size } = machine ?? sleep ?? workspace
    const spec: RecordedSpec = {
      ...(specs.get(id) ?? workspace),
      workspace: id,
      ...(region && size ? { region, size } : {}),
    }
    const record = rebuiltRecord(
      {
        stack: { spec },
        machine,
        snapshots: its,
        carriedBy: carriedBy(volumesOf.get(id)),
        sizes: types,
        golden: workspace.image,
      },
      now(),
    )
    if (!record || agrees(workspace, record)) continue
    if (await settle(means, workspace, record)) settled.push(id)
  }
  await redis.hset(RESTORED, "settled", now())
  log.warn({ workspaces: settled }, "restored from a backup: these had changed since, and are as the provider has them")
  return settled
}

const ON: readonly State[] = ["RUNNING", "IDLE"]

/** Does a record say what the provider has? What has failed with the same machine stays so. */
function agrees(workspace: Workspace, record: RebuiltRecord): boolean {
  if (workspace.machineId !== record.machineId || workspace.snapshot !== record.snapshot) return false
  if (workspace.size !== record.info.size || workspace.region !== record.info.region) return false
  if (workspace.state === "FAILED") return true
  return workspace.state === record.state || (ON.includes(workspace.state) && ON.includes(record.state))
}

async function settle({ redis, now }: RebuildMeans, workspace: Workspace, record: RebuiltRecord): Promise<boolean> {
  const { info, state, machineId, ipv4, snapshot, stopMode, failure } = record
  const { region, size, sizeClass, price } = info
  const place: Place = { region, size, sizeClass, price }
  const epoch = Math.max(record.epoch, workspace.epoch + 1)
  const done = await settleScript.run(
    redis,
    [KEY.workspace(workspace.id), KEY.changes],
    [
      ...[workspace.epoch, state, now(), epoch, machineId ?? "", ipv4 ?? "", snapshot ?? "", stopMode ?? ""],
      ...[failure ? JSON.stringify(failure) : "", JSON.stringify(place)],
    ],
  )
  return done === 1
}
