import { z } from "zod"
import { BackupId } from "../../home-backups/news.ts"
import type { HomeRecord } from "../../home-backups/records.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import { HomeSource } from "../../workspaces/wishes.ts"
import { type ApiRoute, route } from "./define.ts"
import { WorkspaceId } from "./workspace-id.ts"

const time = () => z.iso.datetime()

export const HomeBackupsSchema = z
  .object({
    workspace: z.string().meta({ description: "whose home; the workspace may be deleted by now" }),
    backups: z
      .array(
        z.object({
          id: BackupId.meta({ description: "by which it is restored" }),
          createdAt: time(),
          bytes: z.number().nullable().meta({ description: "of all files in it; null: not known any more" }),
          files: z.number().nullable(),
        }),
      )
      .meta({ description: "newest first" }),
    storedBytes: z
      .number()
      .nullable()
      .meta({ description: "that all of them take in the storage, compressed and each content once" }),
    proof: z
      .object({
        passed: z.boolean(),
        at: time(),
        files: z.number().meta({ description: "that were brought back and compared" }),
        detail: z.string().nullable().meta({ description: "why it has not passed" }),
      })
      .nullable()
      .meta({ description: "how the newest trial of restoring files ended; null: there was none yet" }),
    underWay: z
      .object({ do: z.enum(["backup", "restore"]), percent: z.number().nullable(), askedAt: time() })
      .nullable()
      .meta({ description: "what its machine does with the home, or will do when it starts" }),
    failure: z
      .object({ do: z.enum(["backup", "restore"]), message: z.string(), at: time() })
      .nullable()
      .meta({ description: "why the newest work on the home has failed; null: it has not" }),
    restoredAt: time().nullable().meta({ description: "when a home backup was put over its home last" }),
    keepUntil: time().nullable().meta({ description: "of a deleted workspace: when they are removed by themselves" }),
  })
  .meta({
    id: "HomeBackups",
    description: "Encrypted backups of a workspace's home in the operator's S3-compatible storage",
  })
export const AllHomeBackups = z.object({ homeBackups: z.array(HomeBackupsSchema) })

/** `/home-backups`, and those of a workspace: make, list, restore, remove. */
export function homeBackupRoutes({ workspaces, homeBackups }: Services, limits: Limits): ApiRoute[] {
  const shown = async (workspace: { id: string; owner: string }) =>
    presentHome(workspace.id, await homeBackups.of(workspace))

  const ofWorkspace = route({
    id: "listHomeBackupsOfWorkspace",
    method: "get",
    path: "/workspaces/{id}/home-backups",
    tag: "Backups",
    summary: "List the home backups of a workspace",
    scope: "read",
    params: WorkspaceId,
    replies: { 200: { description: "Newest first", schema: HomeBackupsSchema } },
    errors: [404],
    async handle({ caller: { user }, params: { id } }) {
      return { status: 200, body: await shown(await workspaces.get(user.id, id)) }
    },
  })

  const make = route({
    id: "makeHomeBackup",
    method: "post",
    path: "/workspaces/{id}/home-backups",
    tag: "Backups",
    summary: "Back the home of a running workspace up",
    description: "Its machine does it meanwhile: list them to see how far it is.",
    scope: "write",
    params: WorkspaceId,
    replies: { 202: { description: "Begun", schema: HomeBackupsSchema } },
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id } }) {
      await limits("change", user.id)
      const workspace = await workspaces.get(user.id, id)
      await homeBackups.backUpNow(workspace)
      return { status: 202, body: await shown(workspace) }
    },
  })

  const restore = route({
    id: "restoreHome",
    method: "post",
    path: "/workspaces/{id}/restore-home",
    tag: "Backups",
    summary: "Put a home backup over the home of a workspace",
    description:
      "Files of the backup take the place of those of the same name; others stay. Its machine does it now, or when it starts. The backup may be of another workspace of yours, at another provider too.",
    scope: "write",
    params: WorkspaceId,
    body: HomeSource,
    replies: { 202: { description: "Begun", schema: HomeBackupsSchema } },
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id }, body }) {
      await limits("change", user.id)
      const workspace = await workspaces.get(user.id, id)
      await homeBackups.restore(workspace, body)
      return { status: 202, body: await shown(workspace) }
    },
  })

  const all = route({
    id: "listHomeBackups",
    method: "get",
    path: "/home-backups",
    tag: "Backups",
    summary: "List all your home backups, those of deleted workspaces too",
    scope: "read",
    replies: { 200: { description: "By workspace", schema: AllHomeBackups } },
    async handle({ caller: { user } }) {
      const found = await homeBackups.records.ofUser(user.id)
      return { status: 200, body: { homeBackups: found.map(one => presentHome(one.workspace, one)) } }
    },
  })

  const remove = route({
    id: "removeHomeBackups",
    method: "delete",
    path: "/home-backups/{id}",
    tag: "Backups",
    summary: "Remove all home backups of a workspace for good",
    scope: "write",
    params: WorkspaceId,
    replies: { 204: { description: "They are gone" } },
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id } }) {
      await limits("change", user.id)
      await homeBackups.remove(user.id, id)
      return { status: 204 }
    },
  })

  return [ofWorkspace, make, restore, all, remove]
}

const iso = (ms: number) => new Date(ms).toISOString()

/** @param record null: there are none yet */
export function presentHome(workspace: string, record: HomeRecord | null): z.input<typeof HomeBackupsSchema> {
  const { backups = [], stored = null, proof, run, failure, restoredAt, keepUntil } = record ?? {}
  return {
    workspace,
    backups: backups.map(({ id, at, bytes, files }) => ({ id, createdAt: iso(at), bytes, files })),
    storedBytes: stored,
    proof: proof ? { ...proof, at: iso(proof.at) } : null,
    underWay: run ? { do: run.do, percent: run.percent, askedAt: iso(run.askedAt) } : null,
    failure: failure ? { do: failure.do, message: failure.message, at: iso(failure.at) } : null,
    restoredAt: restoredAt ? iso(restoredAt) : null,
    keepUntil: keepUntil ? iso(keepUntil) : null,
  }
}
