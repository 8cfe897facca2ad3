import { setTimeout as wait } from "node:timers/promises"
import type { Redis } from "ioredis"
import { ConfigError } from "../config/error.ts"
import type { Keys } from "../keys.ts"
import { countHeld, holdEarlierKeys } from "../machines/machine-keys.ts"
import { type Present, presentProcesses } from "../processes/processes.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import { allSealed, type Sealed } from "./sealed.ts"
import { markInUse, readSecretMark, requireKnownSecret } from "./secret-mark.ts"

const resealScript = loadScript(new URL("reseal.lua", import.meta.url))

/** Longer than every process takes to look which secret is in use. */
const FOLLOW_MS = 30_000
const LOOK_MS = 200

export interface Rotation {
  /** Processes of the service that are there. */
  processes: number
  /** What was sealed anew (would be, of a dry run). */
  resealed: number
  /** What none of the secrets opens. */
  unreadable: number
  /** Workspaces of which the machine's earlier key was noted (would be). */
  noted: number
  /** Machines that have, or may have, a key of an earlier secret and are admitted by that note. */
  machines: number
}

/**
 * Goes over to the newest secret: from then on all processes make what is new with it; what was sealed with an earlier
 * one is sealed anew, and the keys that machines have from it are noted. Cut off, it is done again from the beginning.
 * Logins and tokens for scripts are hashes, which no secret is in.
 * @throws ConfigError while a process of the service does not know the newest secret, or the one in use is not known here
 */
export async function rotateSecrets(
  { redis, keys, now = Date.now }: { redis: Redis; keys: Keys; now?: () => number },
  { dryRun = false, earlierIsLost = false }: { dryRun?: boolean; earlierIsLost?: boolean } = {},
): Promise<Rotation> {
  const newest = keys.fingerprints[0] as string
  const processes = await presentProcesses(redis)
  requireAll(processes, newest)
  const mark = earlierIsLost ? await readSecretMark(redis, keys) : await requireKnownSecret(redis, keys)
  if (mark.inUse === newest && keys.fingerprints.length === 1 && !dryRun) {
    throw new ConfigError(
      "FOOZOL_SECRET is the secret in use already: give every process a new one, with the present one in FOOZOL_SECRET_PREVIOUS, then run this again.",
    )
  }
  if (!dryRun) {
    if (mark.inUse !== newest) await markInUse(redis, newest, now())
    await followed(redis, newest)
    keys.use(newest)
  }
  const result: Rotation = { processes: processes.length, resealed: 0, unreadable: 0, noted: 0, machines: 0 }
  for await (const sealed of allSealed(redis)) {
    const word = await reseal(redis, keys, sealed, dryRun)
    if (word !== "fine") result[word]++
  }
  const ids = await redis.smembers(KEY.workspaces)
  for (const id of ids) if (await holdEarlierKeys(redis, keys, id, dryRun)) result.noted++
  result.machines = await countHeld(redis, ids)
  return result
}

function requireAll(processes: Present[], newest: string): void {
  const behind = processes.filter(one => !one.knows.includes(newest))
  if (behind.length === 0) return
  const named = behind.map(one => `${one.pid} on ${one.host}`).join(", ")
  throw new ConfigError(
    `These processes of the service do not know the new FOOZOL_SECRET: ${named}. Start each again with the new one in FOOZOL_SECRET and the one in use in FOOZOL_SECRET_PREVIOUS; nothing was changed.`,
  )
}

/** Waits until every process makes what is new with this secret: what one of them makes before is found afterwards. */
async function followed(redis: Redis, newest: string): Promise<void> {
  const late = performance.now() + FOLLOW_MS
  for (;;) {
    const processes = await presentProcesses(redis)
    requireAll(processes, newest)
    if (processes.every(one => one.makesWith === newest)) return
    if (performance.now() > late) {
      throw new ConfigError("Not every process of the service has gone over to the new secret yet: run this again.")
    }
    await wait(LOOK_MS)
  }
}

async function reseal(
  redis: Redis,
  keys: Keys,
  { key, field, text, sealed, context, textWith }: Sealed,
  dryRun: boolean,
): Promise<"fine" | "resealed" | "unreadable"> {
  const newest = keys.of(keys.fingerprints[0] as string)
  if (newest && opens(newest, sealed, context)) return "fine"
  if (!opens(keys, sealed, context)) return "unreadable"
  if (dryRun || !newest) return "resealed"
  const again = textWith(newest.seal(keys.open(sealed, context), context))
  await resealScript.run(redis, [key], [field, text, again])
  return "resealed"
}

function opens(keys: Pick<Keys, "open">, sealed: string, context: string): boolean {
  try {
    keys.open(sealed, context)
    return true
  } catch {
    return false
  }
}
