import type { Redis } from "ioredis"
import { hashOf, type Keys } from "../keys.ts"
import { KEY } from "../workspaces/store.ts"
import { claimedWorkspace, workspaceKey, workspaceOfKey } from "./workspace-key.ts"

/** Field of a workspace's hash: hashes of keys that its machine may have from before, with spaces between. */
const HELD = "heldKeys"
/** What was found is believed for so long. */
const BELIEVED_MS = 60_000
/** Answers that are remembered. */
const MOST = 10_000

/**
 * Which workspace is a machine of, by the key it shows? A machine has one key for life, in its user-data. After the
 * secret was changed, `secrets rotate` has noted what each machine may have from before, as a hash, so that the earlier
 * secret itself can go: nothing on any machine has to change, those of old images and those that are off included. The
 * note goes when a machine of the workspace shows a key of the newest secret, as the next one does that is made.
 */
export interface MachineKeys {
  /** @returns null for none of ours. @throws while Redis is away and would have to be asked */
  workspaceOf(authorization: string | undefined): Promise<string | null>
  /** Forgets the earlier keys of a workspace if this one is of the newest secret. */
  seen(workspace: string, authorization: string | undefined): Promise<void>
  /** Some machines have keys of earlier secrets: they have to be looked for from now on. */
  expectEarlier(): void
}

export function createMachineKeys(redis: Redis, keys: Keys, clock: () => number = Date.now): MachineKeys {
  let isRotated = false
  const believed = new Map<string, number>()
  return {
    async workspaceOf(authorization) {
      const workspace = workspaceOfKey(keys, authorization)
      if (workspace !== null || !isRotated) return workspace
      const claimed = claimedWorkspace(authorization)
      if (claimed === null) return null
      const shown = hashOf(claimed.key)
      if ((believed.get(shown) ?? 0) > clock()) return claimed.workspace
      const held = (await redis.hget(KEY.workspace(claimed.workspace), HELD)) ?? ""
      if (!held.split(" ").includes(shown)) return null
      if (believed.size >= MOST) believed.clear()
      believed.set(shown, clock() + BELIEVED_MS)
      return claimed.workspace
    },
    async seen(workspace, authorization) {
      const newest = keys.of(keys.fingerprints[0] as string)
      if (isRotated && newest && workspaceOfKey(newest, authorization) !== null) {
        await redis.hdel(KEY.workspace(workspace), HELD)
      }
    },
    expectEarlier: () => {
      isRotated = true
    },
  }
}

/**
 * Notes the keys that the machine of a workspace may have from secrets before the newest.
 * @returns whether anything was noted that was not before
 */
export async function holdEarlierKeys(redis: Redis, keys: Keys, workspace: string, dryRun = false): Promise<boolean> {
  const known = ((await redis.hget(KEY.workspace(workspace), HELD)) ?? "").split(" ").filter(one => one !== "")
  const earlier = keys.fingerprints.slice(1).flatMap(one => keys.of(one) ?? [])
  const all = new Set([...known, ...earlier.map(one => hashOf(workspaceKey(one, workspace)))])
  if (all.size === known.length) return false
  if (!dryRun) await redis.hset(KEY.workspace(workspace), HELD, [...all].join(" "))
  return true
}

/** How many of these workspaces have a machine that may have an earlier key. */
export async function countHeld(redis: Redis, workspaces: string[]): Promise<number> {
  const fields = await Promise.all(workspaces.map(id => redis.hmget(KEY.workspace(id), HELD, "machineId")))
  return fields.filter(([held, machine]) => held && machine).length
}
