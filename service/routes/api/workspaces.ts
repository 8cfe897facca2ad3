import { z } from "zod"
import { IMAGE_ID_PATTERN } from "../../../infra/image-id.ts"
import { projectOf } from "../../../infra/projects.ts"
import { noteForAudit } from "../../middleware/audited.ts"
import type { Limits } from "../../middleware/limits.ts"
import { mayOperate } from "../../operators/operators.ts"
import type { Services } from "../../services.ts"
import { type Unrecorded, unrecordedOf } from "../../workspaces/unrecorded.ts"
import { AskedWorkspace, ChangeWorkspace } from "../../workspaces/wishes.ts"
import { addressOf, SIZE_CLASSES, STOP_MODES, type Workspace } from "../../workspaces/workspace.ts"
import { ActivitySchema, presentActivity } from "./activity.ts"
import { type ApiRoute, route } from "./define.ts"
import { OperationSchema, presentOperation, presentWorkspace, WorkspaceSchema } from "./schemas.ts"
import { WorkspaceId } from "./workspace-id.ts"

const Started = z.object({ workspace: WorkspaceSchema, operation: OperationSchema })

/** `/workspaces`: create, list, get, start, stop, delete, and close open desktops. */
export function workspaceRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { workspaces, store, images, machines, projects, operators, config, tokens, channel, idleness, now, log } =
    services

  /** With the newest image, where the provider says which it is: a list is no worse without. */
  async function shown(workspace: Workspace) {
    return presentWorkspace(
      workspace,
      config,
      await images.find(workspace.profile, projectOf(workspace)).catch(() => null),
    )
  }

  async function begun(user: string, id: string, operation: string, status = 202) {
    const [workspace, found] = await Promise.all([workspaces.get(user, id), store.operation(operation)])
    return {
      status,
      headers: { Location: `/api/v1/operations/${operation}` },
      body: { workspace: await shown(workspace), operation: found ? presentOperation(found) : null },
    }
  }

  const create = route({
    id: "createWorkspace",
    method: "post",
    path: "/workspaces",
    tag: "Workspaces",
    summary: "Create a workspace",
    description:
      'Repeat a request whose answer was lost with the same `Idempotency-Key`: it makes one machine. Without a key, a second wish for the same profile and repository while the first is being created is taken for the first. A git repository and a size can be given as `repo` and `size`, as in `{"repo": "https://github.com/owner/name", "size": "small", "provider": "hetzner"}`; a branch or folder takes `repository`. What the operator does not offer to you is refused (`not-offered-to-you`): `/sizes` lists what is.',
    scope: "write",
    headers: z.object({
      "idempotency-key": z
        .string()
        .min(1)
        .max(200)
        .optional()
        .meta({ description: "of your own making, new for each wish" }),
    }),
    body: AskedWorkspace,
    told: ["profile", "sizeClass", "region", "provider", "name", "from"],
    replies: {
      202: { description: "Begun: follow the operation", schema: Started },
      200: { description: "It was asked for before: that workspace", schema: Started },
    },
    errors: [404, 409, 502],
    async handle({ caller, headers, body }) {
      await limits("create", caller.user.id)
      const key = headers["idempotency-key"] ?? null
      const { created, workspace, operation } = await workspaces.create(caller.user.id, body, key)
      return begun(caller.user.id, workspace.id, operation, created ? 202 : 200)
    },
  })

  const present = (one: Unrecorded) => ({
    ...{ id: one.id, name: one.id, profile: "browser" as const, provider: one.provider, region: one.region },
    ...{ size: one.size, sizeClass: null, price: null, state: one.state, since: null, operation: null },
    ...{
      failure: null,
      autoStop: null,
      keepOnUntil: null,
      recorded: false,
      asleep: false,
      ...{ keepsPrograms: false, programsKept: false },
      backups: null,
      image: null,
      certificate: null,
      repository: null,
    },
    address: addressOf(one, config),
    createdAt: new Date(one.createdAt).toISOString(),
  })

  const list = route({
    id: "listWorkspaces",
    method: "get",
    path: "/workspaces",
    tag: "Workspaces",
    summary: "List your workspaces",
    description:
      "Where the service's store knows none, machines that the provider's labels tell of: `recorded: false`.",
    scope: "read",
    replies: {
      200: { description: "All that are not terminated", schema: z.object({ workspaces: z.array(WorkspaceSchema) }) },
    },
    async handle({ caller }) {
      const known = await workspaces.listOf(caller.user.id)
      if (known.length > 0) return { status: 200, body: { workspaces: await Promise.all(known.map(shown)) } }
      // The provider is only asked where the store knows nothing: each look costs an API request.
      const lost = await unrecordedOf({ machines, projects }, caller.user.id, known).catch(error => {
        log.warn({ err: error }, "the provider could not be asked for machines by label")
        return []
      })
      return { status: 200, body: { workspaces: lost.map(present) } }
    },
  })

  const get = route({
    id: "getWorkspace",
    method: "get",
    path: "/workspaces/{id}",
    tag: "Workspaces",
    summary: "Get a workspace",
    scope: "read",
    params: WorkspaceId,
    replies: { 200: { description: "The workspace", schema: WorkspaceSchema } },
    errors: [404],
    async handle({ caller, params }) {
      return { status: 200, body: await shown(await workspaces.get(caller.user.id, params.id)) }
    },
  })

  /** What every change of a workspace has in common. */
  const begins = {
    tag: "Workspaces",
    scope: "write" as const,
    params: WorkspaceId,
    replies: { 202: { description: "Begun: follow the operation", schema: Started } },
  }
  const sizeClass = z.enum(SIZE_CLASSES)
  const region = z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a region, such as fsn1")

  const start = route({
    ...begins,
    id: "startWorkspace",
    method: "post",
    path: "/workspaces/{id}/start",
    summary: "Start a stopped workspace",
    description:
      "Another size or region than it had is taken along, where its own is sold out for instance; that one must be offered to you (`not-offered-to-you`), its own need not be any more.",
    query: z.object({ sizeClass: sizeClass.optional(), region: region.optional() }),
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id }, query }) {
      await limits("change", user.id)
      const { sizeClass, region } = query
      const wish = { ...(sizeClass ? { sizeClass } : {}), ...(region ? { region } : {}) }
      return begun(user.id, id, await workspaces.start(user.id, id, wish))
    },
  })

  const stop = route({
    ...begins,
    id: "stopWorkspace",
    method: "post",
    path: "/workspaces/{id}/stop",
    summary: "Stop a running workspace",
    description:
      "`power-off` keeps its machine: it wakes fast, and costs what it costs the provider to keep it. `hibernate` puts it away into a snapshot; a workspace that is off already can be hibernated too. Programs end, but where the provider can keep a machine's memory (the local cloud) `hibernate` keeps them: see `programsKept`.",
    query: z.object({ mode: z.enum(STOP_MODES).optional().meta({ description: "as the service is set if missing" }) }),
    errors: [404, 409],
    async handle({ caller: { user }, params: { id }, query }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.stop(user.id, id, query.mode))
    },
  })

  const resize = route({
    ...begins,
    id: "resizeWorkspace",
    method: "post",
    path: "/workspaces/{id}/resize",
    summary: "Give a workspace another size",
    description:
      "Its disk stays. It is shut down for it and runs afterwards. To sizes that are offered to you where it is (`not-offered-to-you`).",
    body: z.strictObject({ sizeClass }),
    told: ["sizeClass"],
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id }, body }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.resize(user.id, id, body.sizeClass))
    },
  })

  const move = route({
    ...begins,
    id: "moveWorkspace",
    method: "post",
    path: "/workspaces/{id}/move",
    summary: "Move a workspace to another region",
    description:
      "With its disk; its name stays, its addresses change. To regions in which its size is offered to you (`not-offered-to-you`).",
    body: z.strictObject({ region }),
    told: ["region"],
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id }, body }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.move(user.id, id, body.region))
    },
  })

  const restore = route({
    ...begins,
    id: "restoreWorkspace",
    method: "post",
    path: "/workspaces/{id}/restore",
    summary: "Put a backup in a workspace's place",
    description:
      "How it is now is kept as a snapshot first; when the restored machine does not come up, it is that again.",
    told: ["backup"],
    body: z.strictObject({ backup: z.string().regex(IMAGE_ID_PATTERN, "must be the id of a backup") }),
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id }, body }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.restore(user.id, id, body.backup))
    },
  })

  const upgrade = route({
    ...begins,
    id: "upgradeWorkspace",
    method: "post",
    path: "/workspaces/{id}/upgrade",
    summary: "Bring a workspace to the newest image",
    description:
      "Its machine is made anew from it; your files, users and services are brought along, and packages you have installed are installed again. How it was is kept as a snapshot for a week; when the new one does not come up, it is that again.",
    errors: [404, 409, 502],
    async handle({ caller: { user }, params: { id } }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.upgrade(user.id, id))
    },
  })

  const destroy = route({
    ...begins,
    id: "destroyWorkspace",
    method: "delete",
    path: "/workspaces/{id}",
    summary: "Delete a workspace with its machine and disk",
    errors: [404, 409],
    async handle({ caller: { user }, params: { id } }) {
      await limits("change", user.id)
      return begun(user.id, id, await workspaces.destroy(user.id, id))
    },
  })
  const change = route({
    id: "changeWorkspace",
    method: "patch",
    path: "/workspaces/{id}",
    tag: "Workspaces",
    summary: "Rename a workspace, keep it on, or say whether it is stopped by itself",
    scope: "write",
    params: WorkspaceId,
    body: ChangeWorkspace,
    told: ["name", "autoStop", "keepOnUntil"],
    replies: { 200: { description: "The workspace as it is now", schema: WorkspaceSchema } },
    errors: [404],
    async handle({ caller, params, body }) {
      await limits("change", caller.user.id)
      await workspaces.change(caller.user.id, params.id, body)
      // A stop that was planned is called off at once, not at the next look.
      await idleness.look(params.id)
      return { status: 200, body: await shown(await workspaces.get(caller.user.id, params.id)) }
    },
  })

  const activity = route({
    id: "getActivity",
    method: "get",
    path: "/workspaces/{id}/activity",
    tag: "Workspaces",
    summary: "Why a workspace is on, and when it will stop",
    description: "Every sign of use with when it was last seen, and what follows from them.",
    scope: "read",
    params: WorkspaceId,
    replies: { 200: { description: "How it is used", schema: ActivitySchema } },
    errors: [404],
    async handle({ caller, params }) {
      await workspaces.get(caller.user.id, params.id)
      return { status: 200, body: presentActivity(await idleness.activity(params.id), now()) }
    },
  })

  const closeViewers = route({
    id: "closeViewers",
    method: "post",
    path: "/workspaces/{id}/close-viewers",
    tag: "Workspaces",
    summary: "Close every open desktop of a workspace",
    description:
      "Takes back all its VNC tokens and ends the shares of its ports; open streams end within a second. Operators may do it for anybody's.",
    scope: "write",
    params: WorkspaceId,
    replies: { 200: { description: "How many tokens were taken back", schema: z.object({ closed: z.int() }) } },
    errors: [404],
    async handle({ caller, params, ctx }) {
      const by = mayOperate(operators, caller) ? { requestedBy: caller.user.id } : caller.user.id
      const { owner } = await workspaces.get(by, params.id)
      noteForAudit(ctx, { user: owner, reaches: true })
      const revoked = await tokens.revokeOfWorkspace(params.id)
      await channel.revoke(revoked)
      return { status: 200, body: { closed: revoked.length } }
    },
  })

  return [create, list, get, change, activity, ...[start, stop, resize, move, restore, upgrade, destroy], closeViewers]
}
