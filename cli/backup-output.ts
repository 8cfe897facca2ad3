import { z } from "zod"
import { InfraError } from "../infra/errors.ts"
import { BackupSchema } from "../service/routes/api/backups.ts"
import type { Api } from "./api-client.ts"
import { printTable } from "./print-table.ts"

/** With what a service that proves restores says besides. */
const Backup = BackupSchema.extend({
  provenAt: z.iso.datetime().nullable().optional(),
  proof: z.enum(["passed", "failed"]).nullable().optional(),
  scheduled: z.boolean().optional(),
})
export type ApiBackup = z.output<typeof Backup>
export const ListedBackups = z.object({ backups: z.array(Backup) })

/** Prints backups, newest first. */
export function showBackups(backups: ApiBackup[]): void {
  printTable(
    ["backup", "workspace", "kind", "made", "kept until", "size", "proven", "name"],
    backups.map(one => [
      ...[one.id, one.workspace, one.scheduled ? "daily" : one.kind, one.createdAt, one.keepUntil ?? "you remove it"],
      ...[one.bytes === null ? "" : `${(one.bytes / 1024 ** 3).toFixed(1)} GB`, proofOf(one), one.name],
    ]),
  )
}

const proofOf = ({ proof, provenAt }: ApiBackup) =>
  !proof ? "not yet" : proof === "passed" ? (provenAt ?? "yes") : "failed"

/** A backup of these by its id, or by a name that only one has. @throws InfraError `not-found` or `ambiguous-name` */
export function pickBackup(backups: ApiBackup[], given: string): ApiBackup {
  const named = backups.filter(one => one.id === given || one.name === given)
  const found = backups.find(one => one.id === given) ?? named[0]
  if (!found) {
    throw new InfraError("not-found", "fail", `There is no backup "${given}": \`foozol-cloud backup list\` shows all.`)
  }
  if (found.id === given || named.length === 1) return found
  throw new InfraError(
    "ambiguous-name",
    "fail",
    `Several backups are called "${given}": name one by its id (${named.map(one => one.id).join(", ")}).`,
  )
}

/** Those of one workspace, newest first. */
export const backupsOf = async (api: Api, workspace: string): Promise<ApiBackup[]> =>
  (await api.call("GET", `/workspaces/${workspace}/backups`, ListedBackups)).backups
