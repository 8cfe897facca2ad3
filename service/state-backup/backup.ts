import type { Redis } from "ioredis"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import { readFormat } from "../formats/format.ts"
import { PREFIX } from "../redis/connect.ts"
import { keysLike } from "../redis/keys-like.ts"
import { type ArchiveKey, lineDigest, readArchive, writeArchive } from "./archive.ts"
import { readFolder } from "./folder-files.ts"
import { readKey, StoredKey } from "./redis-keys.ts"

/** The first line of a backup: what it is. */
export const Manifest = z.object({
  manifest: z.looseObject({
    version: z.literal(1),
    /** When it was begun, milliseconds since 1970. */
    made: z.number(),
    /** Format of what was in Redis. */
    format: z.number(),
    least: z.number(),
    /** Fingerprint of the secret that was in use. */
    secret: z.string(),
    /** Of the passphrase of the stacks. */
    passphrase: z.string(),
    /** What the files are below, by setting. */
    folders: z.array(z.string()),
  }),
})
export type Manifest = z.output<typeof Manifest>["manifest"]

const Counts = z.object({ keys: z.number(), workspaces: z.number(), files: z.number(), bytes: z.number() })
export type Counts = z.output<typeof Counts>

const Line = z.union([
  Manifest,
  z.object({ redis: StoredKey }),
  z.object({ file: z.object({ folder: z.string(), path: z.string(), data: z.string() }) }),
  /** The last line: how much there was, and a digest of all lines before. */
  z.object({ end: Counts.extend({ digest: z.string() }) }),
])
export type Line = z.output<typeof Line>

export interface BackupSource {
  redis: Redis
  /** By setting. */
  folders: Record<string, string>
  /** Fingerprints of the secret in use and of the stacks' passphrase: without them what is in it cannot be read. */
  secret: string
  passphrase: string
  now: () => number
}

/**
 * Takes a backup while the service runs, and reads it once more.
 *
 * It is of no single moment: Redis comes first, then the ledger, then the stacks. So a change of state that was not in
 * the ledger yet is in the stream it comes from; and whatever was under way is compared with the provider after a
 * restore (service/sweeps/restored.ts), which is newer than any backup.
 */
export async function backUp(
  path: string,
  key: ArchiveKey,
  source: BackupSource,
): Promise<{ manifest: Manifest; counts: Counts }> {
  await writeArchive(path, key, linesOf(source))
  return verifyBackup(path, key)
}

async function* linesOf({ redis, folders, secret, passphrase, now }: BackupSource): AsyncGenerator<Line> {
  const digest = lineDigest()
  const counts: Counts = { keys: 0, workspaces: 0, files: 0, bytes: 0 }
  const tell = (line: Line): Line => {
    digest.add(line)
    return line
  }
  const { version, least } = await readFormat(redis)
  const order = Object.keys(folders).sort(
    (a, b) => Number(a === "FOOZOL_BACKEND_URL") - Number(b === "FOOZOL_BACKEND_URL"),
  )
  const about = { version: 1 as const, made: now(), format: version, least, secret, passphrase, folders: order }
  yield tell({ manifest: about })
  for await (const full of keysLike(redis, `${PREFIX}*`)) {
    const stored = await readKey(redis, full)
    if (!stored) continue
    count(counts, stored)
    yield tell({ redis: stored })
  }
  for (const folder of order) {
    let last = ""
    for await (const file of readFolder(folder, folders[folder] as string)) {
      if (file.path !== last) counts.files++
      last = file.path
      counts.bytes += Buffer.byteLength(file.data, "base64")
      yield tell({ file })
    }
  }
  yield { end: { ...counts, digest: digest.hex() } }
}

function count(counts: Counts, { key, type }: StoredKey): void {
  counts.keys++
  if (type === "hash" && /^ws:[^:]+$/.test(key)) counts.workspaces++
}

/**
 * Reads a backup, line by line. Only when it has come to its end is it whole.
 * @throws ServiceError `no-backup`, `wrong-secret` or `backup-damaged`
 */
export async function* readBackup(path: string, key: ArchiveKey): AsyncGenerator<Line> {
  const digest = lineDigest()
  let isWhole = false
  for await (const text of readArchive(path, key)) {
    const line = Line.safeParse(text)
    if (!line.success || isWhole) throw damaged(path)
    if ("end" in line.data) isWhole = line.data.end.digest === digest.hex()
    // As it was written: fields that are not known here count too.
    else digest.add(text as object)
    yield line.data
  }
  if (!isWhole) throw damaged(path)
}

/** Reads a backup to its end. @throws as `readBackup` */
export async function verifyBackup(path: string, key: ArchiveKey): Promise<{ manifest: Manifest; counts: Counts }> {
  let manifest: Manifest | null = null
  let counts: Counts | null = null
  for await (const line of readBackup(path, key)) {
    if ("manifest" in line) manifest = line.manifest
    if ("end" in line) counts = Counts.parse(line.end)
  }
  if (!manifest || !counts) throw damaged(path)
  return { manifest, counts }
}

const damaged = (path: string) =>
  new ServiceError("backup-damaged", 422, `${path} is damaged or not whole: take another backup.`)
