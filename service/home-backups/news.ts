import { z } from "zod"
import type { HomeBackup, HomeRecord } from "./records.ts"

/** It is shown at shells too, for which control characters are orders. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .transform(said => said.replace(/\p{C}/gu, " "))
const RunId = z.string().max(64)
export const BackupId = z.string().regex(/^[0-9a-f]{64}$/, "must be the id of a home backup")
const Count = z.int().min(0)

/** What a machine says of work on its home. The user is root there: it is shown and decides nothing about others. */
export const HomeNews = z.discriminatedUnion("state", [
  z.object({ id: RunId, state: z.literal("going"), percent: z.int().min(0).max(100).optional() }),
  z.object({ id: RunId, state: z.literal("failed"), reason: text(500) }),
  z.object({
    id: RunId,
    state: z.literal("done"),
    made: z.object({ backup: BackupId, files: Count, bytes: Count }).optional(),
    backups: z
      .array(z.object({ id: BackupId, at: z.iso.datetime() }))
      .max(1_000)
      .optional(),
    proof: z.object({ passed: z.boolean(), files: Count, detail: text(500).optional() }).optional(),
    pruned: z.boolean().optional(),
  }),
])
export type HomeNews = z.output<typeof HomeNews>

/** One object of a repository, and what is wanted with it. */
const Name = z
  .string()
  .regex(/^(config|(data|index|keys|locks|snapshots)\/[0-9a-f]{64})$/, "is no object of a repository")
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export const SignWish = z.discriminatedUnion("method", [
  z.object({ id: RunId, method: z.enum(["GET", "HEAD", "DELETE"]), name: Name }),
  z.object({ id: RunId, method: z.literal("PUT"), name: Name, sha256: Sha256 }),
])
export type SignWish = z.output<typeof SignWish>
export const ListWish = z.object({ id: RunId, folder: z.enum(["data", "index", "keys", "locks", "snapshots"]) })
export const PasswordWish = z.object({ id: RunId })

/** A record after what its machine has said; the same where it speaks of another run. Pure. */
export function heardOf(record: HomeRecord, news: HomeNews, now: number): HomeRecord {
  const { run } = record
  if (run === null || run.id !== news.id) return record
  if (news.state === "going") return { ...record, run: { ...run, heardAt: now, percent: news.percent ?? null } }
  if (news.state === "failed") return failedWith(record, news.reason, now)
  const { made, proof } = news
  const known = new Map(record.backups.map(one => [one.id, one]))
  const backups = news.backups?.map(({ id, at }): HomeBackup => {
    const { bytes, files } = (id === made?.backup ? made : known.get(id)) ?? { bytes: null, files: null }
    return { id, at: Date.parse(at), bytes, files }
  })
  return {
    ...record,
    run: null,
    failure: null,
    backups: backups?.sort((a, b) => b.at - a.at) ?? record.backups,
    proof: proof ? { at: now, passed: proof.passed, files: proof.files, detail: proof.detail ?? null } : record.proof,
    prunedAt: news.pruned ? now : record.prunedAt,
    restoredAt: run.do === "restore" ? now : record.restoredAt,
  }
}

/** A record whose run has come to nothing. Pure. */
export function failedWith(record: HomeRecord, message: string, now: number): HomeRecord {
  const { run, failure } = record
  if (run === null) return record
  const times = failure?.do === run.do ? failure.times + 1 : 1
  return { ...record, run: null, failure: { do: run.do, message, at: now, times } }
}
