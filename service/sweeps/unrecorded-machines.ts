import type { Redis } from "ioredis"
import type { Places } from "../../infra/cloud-config.ts"
import type { Machine } from "../../infra/machines/contract.ts"
import { projectOf } from "../../infra/projects.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { PREFIX } from "../redis/connect.ts"
import { readRestored } from "../state-backup/mark.ts"
import type { RecordedSpec } from "./rebuilt-record.ts"

/** Machines that showed a key of ours and whose workspace is not known: a hash of what their image is called. */
const NOTED = `${PREFIX}machines-unrecorded`
/** Seconds they are remembered; a machine that is on reports every 15 s. */
const NOTED_S = 24 * 3600
/** What clocks of ours and the provider's may differ by. */
const SLACK_MS = 3600_000

export async function noteUnrecorded(redis: Redis, workspace: string, image: string): Promise<void> {
  await redis.multi().hset(NOTED, workspace, image).expire(NOTED, NOTED_S).exec()
}

export async function forgetUnrecorded(redis: Redis, workspace: string): Promise<void> {
  await redis.hdel(NOTED, workspace)
}

/** Those that may have been made after the backup this Redis was restored from, with their images; else none. */
export async function unrecordedMachines(redis: Redis): Promise<Map<string, { image: string; since: number }>> {
  const restored = await readRestored(redis)
  if (!restored) return new Map()
  const noted = Object.entries(await redis.hgetall(NOTED))
  return new Map(noted.map(([workspace, image]) => [workspace, { image, since: restored.made - SLACK_MS }]))
}

/**
 * What the labels of a machine tell of a workspace of which nothing else is left: neither record nor stack. Null for one
 * that has not shown a key of ours, or is older than the backup: then it was deleted before that. Pure.
 */
export function specOfMachine(
  { labels, region, size, createdAt }: Machine,
  noted: ReadonlyMap<string, { image: string; since: number }>,
  places: Pick<Places, "providerOf">,
): RecordedSpec | null {
  const [workspace, owner] = [labels[LABELS.workspace] ?? "", labels[LABELS.owner]]
  const known = noted.get(workspace)
  if (!known || !owner || createdAt.getTime() < known.since) return null
  const project = labels[LABELS.project]
  const profile = known.image.includes("browser") ? "browser" : "desktop"
  // The golden image of its profile takes the place of this one.
  return {
    workspace,
    owner,
    epoch: Number(labels[LABELS.epoch] ?? 0),
    profile,
    provider: places.providerOf(projectOf({ project })),
    region,
    size,
    image: 1,
    ...(project ? { project } : {}),
  }
}
