import { z } from "zod"
import { notFound, ServiceError } from "../../errors.ts"
import { noteForAudit } from "../../middleware/audited.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import { endShare, isShown, sharePort } from "../../shares/ports.ts"
import { SHARE_SPANS, type Share, type ShareSpan } from "../../shares/shares.ts"
import { admits } from "../../workspaces/transitions.ts"
import { type ApiRoute, route } from "./define.ts"
import { WorkspaceId } from "./workspace-id.ts"

const SPANS = Object.keys(SHARE_SPANS) as [ShareSpan, ...ShareSpan[]]

const Port = z.coerce.number().int().min(1024).max(65_535)

const ShareSchema = z
  .object({
    id: z.string().meta({ description: "by which it is ended; it opens nothing" }),
    port: z.int(),
    createdAt: z.iso.datetime(),
    endsAt: z.iso.datetime().meta({ description: "it ends earlier when its workspace stops" }),
    visits: z.int().meta({ description: "how often somebody came in by its link" }),
    visitedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "PortShare", description: "A port that whoever has its link may see" })

export const PortsSchema = z.object({
  ports: z
    .array(
      z.object({
        port: z.int(),
        program: z.string().meta({ description: "who listens there" }),
        url: z.url().meta({ description: "opens it in the browser of its owner, who is signed in there" }),
      }),
    )
    .meta({ description: "servers of the workspace's user, as its machine told last; none while it is off" }),
  shares: z.array(ShareSchema),
})
export const SharedSchema = z.object({
  share: ShareSchema,
  url: z.url().meta({ description: "the link; it is shown this once only" }),
})

const present = (one: Share): z.output<typeof ShareSchema> => ({
  ...one,
  createdAt: new Date(one.createdAt).toISOString(),
  endsAt: new Date(one.endsAt).toISOString(),
  visitedAt: one.visitedAt === null ? null : new Date(one.visitedAt).toISOString(),
})

/** Web servers on workspaces' machines, and links by which others see them for a while. */
export function portRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { workspaces, reports, shares, config } = services
  const about = { tag: "Ports" }
  async function own(user: string, id: string) {
    const workspace = await workspaces.get(user, id)
    if (workspace.state === "TERMINATED") throw notFound("workspace")
    return workspace
  }
  return [
    route({
      ...{ ...about, scope: "read", id: "listPorts", method: "get", path: "/workspaces/{id}/ports" },
      summary: "List the web servers that listen in a workspace, and who may see them",
      params: WorkspaceId,
      replies: { 200: { description: "Ports and shares", schema: PortsSchema } },
      errors: [404],
      async handle({ caller, params }) {
        const { id, state } = await own(caller.user.id, params.id)
        const [{ report }, all] = await Promise.all([reports.last(id), shares.of(id)])
        const ports = admits(state) ? (report?.ports ?? []) : []
        const url = (port: number) => new URL(`/connect?workspace=${id}&to=port-${port}`, config.url).href
        return {
          status: 200,
          body: { ports: ports.map(one => ({ ...one, url: url(one.port) })), shares: all.map(present) },
        }
      },
    }),
    route({
      ...{ ...about, scope: "write", id: "sharePort", method: "post", path: "/workspaces/{id}/ports/{port}/shares" },
      summary: "Share a port of a workspace for a while",
      description:
        "Whoever has the link may use what listens there, and nothing else, until it ends: after its time, when it is taken back, and when the workspace stops. The link is told once; it is kept as a hash.",
      params: WorkspaceId.extend({ port: Port.meta({ example: 3000 }) }),
      body: z.strictObject({ for: z.enum(SPANS) }),
      told: ["for"],
      replies: { 201: { description: "The share, and its link", schema: SharedSchema } },
      errors: [404, 409],
      async handle({ caller: { user }, params, body, ctx }) {
        await limits("change", user.id)
        const workspace = await own(user.id, params.id)
        if (!isShown(params.port)) throw new ServiceError("reserved-port", 409, "This port is never shown to others.")
        noteForAudit(ctx, { input: { ...body, port: params.port } })
        const { share, url } = await sharePort(services, workspace, params.port, body.for)
        return { status: 201, body: { share: present(share), url } }
      },
    }),
    route({
      ...{ ...about, scope: "write", id: "endShare", method: "delete", path: "/workspaces/{id}/shares/{share}" },
      summary: "End a share",
      description: "Its link opens nothing any more, and what visitors have open ends within a second.",
      params: WorkspaceId.extend({ share: z.string().regex(/^[0-9a-f]{16}$/, "must be the id of a share") }),
      replies: { 204: { description: "It has ended" } },
      errors: [404],
      async handle({ caller: { user }, params, ctx }) {
        await limits("change", user.id)
        const { id } = await own(user.id, params.id)
        noteForAudit(ctx, { input: { share: params.share } })
        if (!(await endShare(services, id, params.share))) throw notFound("share")
        return { status: 204 }
      },
    }),
  ]
}
