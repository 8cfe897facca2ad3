import { z } from "zod"
import { IMAGE_ID_PATTERN } from "../../../infra/image-id.ts"
import { PROOFS, SNAPSHOT_KINDS, type SnapshotFacts } from "../../../infra/machines/snapshots.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import type { Provider } from "../../workspaces/workspace.ts"
import { Away } from "./catalog.ts"
import { type ApiRoute, route } from "./define.ts"
import { OperationSchema, presentOperation } from "./schemas.ts"
import { WorkspaceId } from "./workspace-id.ts"

const BackupId = z.object({
  backup: z.string().regex(IMAGE_ID_PATTERN).meta({ description: "id of the backup" }),
})

export const BackupSchema = z
  .object({
    id: z.string(),
    workspace: z.string().meta({ description: "of which workspace; it may be deleted by now" }),
    kind: z.enum(SNAPSHOT_KINDS).meta({
      description: "backup: asked for or daily; safety: before a change; final: left by a deleted workspace",
    }),
    name: z.string(),
    available: z.boolean(),
    bytes: z.number().nullable(),
    createdAt: z.iso.datetime(),
    keepUntil: z.iso
      .datetime()
      .nullable()
      .meta({ description: "when it is removed by itself, unless it is the newest good one; null: never" }),
    scheduled: z.boolean().meta({ description: "made by the schedule, not by a person" }),
    proof: z
      .enum(PROOFS)
      .nullable()
      .meta({ description: "was it restored on trial, on a machine of its own? null: not yet" }),
    provenAt: z.iso.datetime().nullable().meta({ description: "when that trial ended" }),
    profile: z.string().meta({ description: "of its workspace; a new workspace made from it has the same" }),
    diskGb: z.number().meta({ description: "a machine made from it needs at least such a disk" }),
  })
  .meta({ id: "Backup" })
/** What a person calls a backup. */
export const BackupName = z.string().trim().min(1).max(100)
const Listed = z.object({ backups: z.array(BackupSchema) })

/** `/backups`, and those of a workspace: make, list, remove. */
export function backupRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { workspaces, backups, store, projects } = services
  const listed = (found: SnapshotFacts[]) => ({ status: 200, body: { backups: found.map(present) } })

  const make = route({
    id: "makeBackup",
    method: "post",
    path: "/workspaces/{id}/backups",
    tag: "Backups",
    summary: "Back a workspace up",
    scope: "write",
    params: WorkspaceId,
    body: z.strictObject({ name: BackupName.optional() }),
    replies: { 202: { description: "Begun: follow the operation", schema: z.object({ operation: OperationSchema }) } },
    errors: [404, 409],
    async handle({ caller: { user }, params: { id }, body }) {
      await limits("change", user.id)
      const operation = await workspaces.backup(user.id, id, body.name)
      const found = await store.operation(operation)
      return {
        status: 202,
        headers: { Location: `/api/v1/operations/${operation}` },
        body: { operation: found && presentOperation(found) },
      }
    },
  })

  const ofWorkspace = route({
    id: "listBackupsOfWorkspace",
    method: "get",
    path: "/workspaces/{id}/backups",
    tag: "Backups",
    summary: "List the backups of a workspace",
    scope: "read",
    params: WorkspaceId,
    replies: { 200: { description: "Newest first", schema: Listed } },
    errors: [404, 502],
    async handle({ caller: { user }, params: { id } }) {
      return listed(await backups.of(user.id, await workspaces.get(user.id, id)))
    },
  })

  const all = route({
    id: "listBackups",
    method: "get",
    path: "/backups",
    tag: "Backups",
    summary: "List all your backups, those of deleted workspaces too",
    scope: "read",
    replies: { 200: { description: "Newest first", schema: Listed.extend({ away: Away }) } },
    errors: [502],
    async handle({ caller: { user } }) {
      const away = new Set<Provider>()
      const found = await backups.ofUser(user.id, one => away.add(projects.providerOf(one)))
      return { status: 200, body: { backups: found.map(present), away: [...away] } }
    },
  })

  const remove = route({
    id: "removeBackup",
    method: "delete",
    path: "/backups/{backup}",
    tag: "Backups",
    summary: "Remove a backup for good",
    scope: "write",
    params: BackupId,
    replies: { 204: { description: "It is gone" } },
    errors: [404, 502],
    async handle({ caller: { user }, params: { backup } }) {
      await limits("change", user.id)
      await backups.remove(user.id, backup)
      return { status: 204 }
    },
  })

  return [make, ofWorkspace, all, remove]
}

function present(facts: SnapshotFacts): z.input<typeof BackupSchema> {
  const { id, workspace, kind, description: name, available, bytes, createdAt, keepUntil } = facts
  const { scheduledAt, proof, provenAt, profile, diskGb } = facts
  return {
    ...{ id, workspace, kind, name, available, bytes, proof, profile, diskGb },
    scheduled: scheduledAt !== null,
    provenAt: provenAt === null ? null : new Date(provenAt).toISOString(),
    createdAt: new Date(createdAt).toISOString(),
    keepUntil: keepUntil === null ? null : new Date(keepUntil).toISOString(),
  }
}
