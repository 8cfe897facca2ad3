import { mkdir, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { formatOf, MIGRATIONS, refusalOf } from "../formats/format.ts"
import { presentProcesses } from "../processes/processes.ts"
import { PREFIX } from "../redis/connect.ts"
import { keysLike } from "../redis/keys-like.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import type { ArchiveKey } from "./archive.ts"
import { asRestored } from "./as-restored.ts"
import { type Counts, type Manifest, readBackup, verifyBackup } from "./backup.ts"
import { hasFiles, writePiece } from "./folder-files.ts"
import { RESTORED } from "./mark.ts"
import { writeKey } from "./redis-keys.ts"

const swapScript = loadScript(new URL("swap.lua", import.meta.url))

/** What is put back waits here until all of it is there. */
const WAITING = "fz-restoring:"
const QUEUE = "fz-queue:"

export interface RestoreTarget {
  redis: Redis
  /** By setting. */
  folders: Record<string, string>
  /** Fingerprints of the secrets there are here, and of the stacks' passphrase. */
  secrets: readonly string[]
  passphrase: string
  now: () => number
}

export interface RestoreWish {
  /** Put it in the place of what is here. */
  replace?: boolean
  /** Only look whether it can be done. */
  dryRun?: boolean
  /** Tokens for scripts are left out: those that were revoked since the backup would be good again. */
  withoutTokens?: boolean
}

export interface Restored {
  manifest: Manifest
  counts: Counts
  /** Where the folders that were replaced lie now. */
  keptAside: string[]
}

/**
 * Puts a backup back. Everything is written beside what is there, and takes its place at the end: the folders by
 * renaming them, Redis in one step, which comes last; cut off before, it is run again with `replace`.
 * @throws ServiceError saying why nothing was changed
 */
export async function restoreBackup(
  path: string,
  key: ArchiveKey,
  target: RestoreTarget,
  { replace = false, dryRun = false, withoutTokens = false }: RestoreWish = {},
): Promise<Restored> {
  const { redis, folders, now } = target
  const { manifest, counts } = await verifyBackup(path, key)
  await requireFit(manifest, target, replace)
  const result: Restored = { manifest, counts, keptAside: [] }
  if (dryRun) return result
  const beside = (folder: string) => `${folder}.restoring`
  const wanted = manifest.folders.flatMap(one => folders[one] ?? [])
  await tidy(redis, wanted.map(beside))
  try {
    for (const folder of wanted) await mkdir(beside(folder), { recursive: true, mode: 0o700 })
    await writeAll()
    for (const folder of wanted) {
      if (await hasFiles(folder)) {
        const aside = `${folder}.before-${new Date(now()).toISOString().replaceAll(/[:.]/g, "-")}`
        await rename(folder, aside)
        result.keptAside.push(aside)
      } else await rm(folder, { recursive: true, force: true })
      await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
      await rename(beside(folder), folder)
    }
    const put = await swapScript.run(redis, [RESTORED], [WAITING, PREFIX, QUEUE, manifest.made, now()])
    if (put === -1) throw inUse()
  } finally {
    await tidy(redis, wanted.map(beside)).catch(() => {})
  }
  return result

  async function writeAll(): Promise<void> {
    const [workspaces, users] = [new Set<string>(), new Map<string, string[]>()]
    for await (const line of readBackup(path, key)) {
      if ("file" in line) {
        const root = folders[line.file.folder]
        if (root !== undefined) await writePiece(beside(root), line.file)
      }
      if (!("redis" in line)) continue
      const { key: name } = line.redis
      if (withoutTokens && (/^api:/.test(name) || /^user:[^:]+:api$/.test(name))) continue
      // Made anew out of the workspaces themselves: the one may have been read before a change and the other after it.
      if (full(name) === KEY.workspaces || /^user:[^:]+:ws$/.test(name)) continue
      const stored = asRestored(line.redis, now())
      if (!stored || !(await writeKey(redis, WAITING, stored, now()))) continue
      if (stored.type !== "hash" || !/^ws:[^:]+$/.test(name) || stored.value.state === "TERMINATED") continue
      const { id, owner } = JSON.parse(stored.value.info ?? "{}") as { id?: string; owner?: string }
      if (!id || !owner) continue
      workspaces.add(id)
      users.set(owner, [...(users.get(owner) ?? []), id])
    }
    const waiting = (name: string) => `${WAITING}${name.slice(PREFIX.length)}`
    if (workspaces.size > 0) await redis.sadd(waiting(KEY.workspaces), ...workspaces)
    for (const [owner, ids] of users) await redis.sadd(waiting(KEY.workspacesOf(owner)), ...ids)
  }
}

const full = (name: string) => `${PREFIX}${name}`

async function requireFit(manifest: Manifest, target: RestoreTarget, replace: boolean): Promise<void> {
  const { redis, folders, secrets, passphrase } = target
  const refuse = (id: string, message: string) => new ServiceError(id, 409, `${message} Nothing was changed.`)
  const refusal = refusalOf({ version: manifest.format, least: manifest.least, back: "" }, formatOf(MIGRATIONS))
  if (refusal) throw refuse("newer-format", refusal)
  if (!secrets.includes(manifest.secret)) {
    throw refuse(
      "wrong-secret",
      "What is sealed in the backup is of another FOOZOL_SECRET: set the one of then, or put it into FOOZOL_SECRET_PREVIOUS.",
    )
  }
  if (manifest.folders.includes("FOOZOL_BACKEND_URL") && manifest.passphrase !== passphrase) {
    throw refuse(
      "wrong-passphrase",
      "The stacks in the backup are of another passphrase: set FOOZOL_STATE_PASSPHRASE to the one of then.",
    )
  }
  if ((await presentProcesses(redis)).length > 0) throw inUse()
  if (replace) return
  for await (const _ of keysLike(redis, `${PREFIX}*`)) {
    throw refuse("not-empty", "There is data in this Redis already: `--replace` puts the backup in its place.")
  }
  for (const setting of manifest.folders) {
    const folder = folders[setting]
    if (folder !== undefined && (await hasFiles(folder))) {
      throw refuse(
        "not-empty",
        `There are files in ${folder} (${setting}) already: \`--replace\` puts those of the backup in their place.`,
      )
    }
  }
}

const inUse = () =>
  new ServiceError(
    "in-use",
    409,
    "The service works on this Redis: stop all of its processes first, then wait 15 seconds.",
  )

/** Removes what an earlier try has left. */
async function tidy(redis: Redis, folders: string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
  for await (const key of keysLike(redis, `${WAITING}*`)) await redis.del(key)
}
