import { z } from "zod"
import { notFound } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import { actOn, dossierOf, findFleet, newestImages, planFor, requireQuiet } from "../../../operators/desk.ts"
import { ACTIONS, type Action } from "../../../operators/plan.ts"
import {
  foreseeRecovery,
  holdersOf,
  recoverStack,
  refreshStack,
  unlockStack,
} from "../../../operators/stack-by-hand.ts"
import type { Services } from "../../../services.ts"
import { KINDS, KINDS_BESIDE, STATES } from "../../../workspaces/transitions.ts"
import { type ApiRoute, route } from "../define.ts"
import { yesOrNo } from "../yes-or-no.ts"
import {
  DossierSchema,
  FleetMemberSchema,
  OperatorsOperationSchema,
  presentDossier,
  presentForOperators,
  presentMember,
} from "./schemas.ts"

const Id = z.object({ id: z.string().min(1).max(40).meta({ description: "id of the workspace" }) })
/** Workspaces of a page unless asked otherwise, and at most. */
const [PAGE, LARGEST_PAGE] = [50, 200]
/** Failed operations in a list at most. */
const FAILED = 500
const DAY_MS = 24 * 3_600_000

export const FleetPage = z.object({
  workspaces: z.array(FleetMemberSchema),
  total: z.int().meta({ description: "how many the query selects" }),
  page: z.int(),
})
export const Acted = z.object({
  id: z.string(),
  state: z.enum(STATES),
  kind: z
    .enum([...KINDS, ...KINDS_BESIDE])
    .nullable()
    .meta({ description: "what is or would be begun; null: nothing" }),
  why: z.string().nullable().meta({ description: "why nothing would be begun" }),
  operation: z.string().nullable().meta({ description: "what was begun; null: this was a dry run" }),
})
const DryRun = z.object({ dryRun: yesOrNo.optional().meta({ description: "only say what would be begun" }) })

const about = { tag: "Operators", forOperators: true } as const

/** `/operator/workspaces` and `/operator/operations`: what everybody has. */
export function operatorFleetRoutes(services: Services): ApiRoute[] {
  const { store, now } = services
  return [
    route({
      ...{ ...about, id: "operatorListWorkspaces", method: "get", path: "/operator/workspaces", scope: "read" },
      summary: "Find workspaces of everybody, newest first",
      query: z.object({
        search: z.string().max(100).optional().meta({ description: "part of id, name, owner, size or region" }),
        state: z.enum(STATES).optional(),
        region: z.string().max(32).optional(),
        owner: z.string().max(60).optional().meta({ description: "id or login name" }),
        outdated: yesOrNo.optional(),
        page: z.coerce.number().int().min(1).max(1_000_000).default(1),
        perPage: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(PAGE),
      }),
      replies: { 200: { description: "A page of them", schema: FleetPage } },
      async handle({ query: { page, perPage, ...query } }) {
        const [found, newest] = await Promise.all([findFleet(services, query), newestImages(services)])
        const shown = found.slice((page - 1) * perPage, page * perPage)
        return {
          status: 200,
          body: { workspaces: shown.map(one => presentMember(one, newest)), total: found.length, page },
        }
      },
    }),
    route({
      ...{ ...about, id: "operatorGetWorkspace", method: "get", path: "/operator/workspaces/{id}", scope: "read" },
      summary: "Everything about one workspace",
      params: Id,
      replies: { 200: { description: "The workspace", schema: DossierSchema } },
      errors: [404],
      async handle({ params, ctx }) {
        const [found, newest] = await Promise.all([dossierOf(services, params.id), newestImages(services)])
        noteForAudit(ctx, { user: found.workspace.owner })
        return { status: 200, body: presentDossier(found, newest) }
      },
    }),
    ...ACTIONS.map(action => actionRoute(services, action)),
    route({
      ...{ ...about, id: "operatorListOperations", method: "get", path: "/operator/operations", scope: "read" },
      summary: "Operations that go on, and those that failed",
      query: z.object({
        state: z.enum(["going", "failed"]).default("going"),
        hours: z.coerce
          .number()
          .int()
          .min(1)
          .max(720)
          .default(24)
          .meta({ description: "how far back, of those that failed" }),
      }),
      replies: {
        200: { description: "The operations", schema: z.object({ operations: z.array(OperatorsOperationSchema) }) },
      },
      async handle({ query: { state, hours } }) {
        const found =
          state === "going" ? await store.going() : await store.failedSince(now() - (hours * DAY_MS) / 24, FAILED)
        return { status: 200, body: { operations: found.map(presentForOperators) } }
      },
    }),
    ...stackRoutes(services),
  ]
}

const SUMMARIES: Record<Action, string> = {
  stop: "Stop anybody's workspace",
  start: "Start anybody's workspace",
  retry: "Try again what failed of anybody's workspace",
  backup: "Back anybody's workspace up",
  destroy: "Delete anybody's workspace with its machine and disk",
}

function actionRoute(services: Services, action: Action): ApiRoute {
  const isEnd = action === "destroy"
  return route({
    ...{ ...about, id: `operator${action[0]?.toUpperCase()}${action.slice(1)}Workspace`, scope: "write" },
    method: isEnd ? "delete" : "post",
    path: `/operator/workspaces/{id}${isEnd ? "" : `/${action}`}`,
    summary: SUMMARIES[action],
    params: Id,
    query: DryRun,
    replies: {
      200: { description: "A dry run: what would be begun", schema: Acted },
      202: { description: "Begun: follow the operation", schema: Acted },
    },
    errors: [404, 409, 502],
    async handle({ caller, params: { id }, query: { dryRun }, ctx }) {
      const { workspace, plan } = await planFor(services, id, action)
      noteForAudit(ctx, { user: workspace.owner })
      if (dryRun) return { status: 200, body: { id, state: workspace.state, ...plan, operation: null } }
      const by = { requestedBy: caller.user.id, request: ctx.state.requestId }
      const operation = await actOn(services, by, id, action)
      noteForAudit(ctx, { operation })
      const [after, begun] = await Promise.all([services.store.get(id), services.store.operation(operation)])
      const state = after?.state ?? workspace.state
      return { status: 202, body: { id, state, kind: begun?.kind ?? plan.kind, why: null, operation } }
    },
  })
}

const RunSchema = z.object({
  changes: z.record(z.string(), z.number()).meta({ description: "resources by what was done to them" }),
})

const HolderSchema = z.object({
  pid: z.int(),
  hostname: z.string(),
  takenAt: z.iso.datetime(),
  isDead: z.boolean().meta({ description: "is that process proven dead, as seen from the service?" }),
})
const UnlockSchema = z.object({
  changes: RunSchema.shape.changes,
  holders: z
    .array(HolderSchema)
    .nullable()
    .optional()
    .meta({ description: "of a dry run: who holds it; null: the backend does not tell" }),
})

/** What the engine does to a stack by hand, when no operation is at it. */
function stackRoutes(services: Services): ApiRoute[] {
  const { pool, cloud } = services
  const path = (name: string) => `/operator/workspaces/{id}/stack${name}`
  return [
    route({
      ...{ ...about, id: "operatorExportStack", method: "get", path: path(""), scope: "read" },
      summary: "A stack's state, secrets encrypted",
      params: Id,
      replies: { 200: { description: "As Pulumi exports it", schema: z.record(z.string(), z.unknown()) } },
      errors: [404, 502],
      async handle({ params: { id }, ctx }) {
        noteForAudit(ctx, { user: (await services.store.get(id))?.owner ?? "" })
        const state = await pool.run<object>(cloud, { action: "export", workspace: id }).catch(error => {
          throw (error as { id?: string }).id === "stack-not-found" ? notFound("stack") : error
        })
        return { status: 200, body: state }
      },
    }),
    route({
      ...{ ...about, id: "operatorRecoverStack", method: "post", path: path("/recover"), scope: "write" },
      summary: "Mend what a run that was cut off has left in a stack",
      description: "Makes and removes nothing at the provider.",
      params: Id,
      query: z.object({ dryRun: yesOrNo.optional().meta({ description: "only say what would be mended" }) }),
      replies: {
        200: { description: "What was mended, or would be", schema: z.record(z.string(), z.unknown()) },
      },
      errors: [404, 409, 502],
      async handle({ params: { id }, query: { dryRun = false }, ctx }) {
        const { owner = "", recovery } = await (dryRun ? foreseeRecovery : recoverStack)(services, id)
        noteForAudit(ctx, { user: owner })
        return { status: 200, body: { ...recovery } }
      },
    }),
    route({
      ...{ ...about, id: "operatorRefreshStack", method: "post", path: path("/refresh"), scope: "write" },
      summary: "Read a workspace's real resources into its stack's state",
      description: "Changes nothing at the provider.",
      params: Id,
      replies: { 200: { description: "What was read", schema: RunSchema } },
      errors: [404, 409, 502],
      async handle({ params: { id }, ctx }) {
        const { owner = "", changes } = await refreshStack(services, id)
        noteForAudit(ctx, { user: owner })
        return { status: 200, body: { changes } }
      },
    }),
    route({
      ...{ ...about, id: "operatorUnlockStack", method: "post", path: path("/unlock"), scope: "write" },
      summary: "Remove the lock of a stack whose engine run is proven dead",
      params: Id,
      query: z.object({
        force: yesOrNo.optional().meta({ description: "whoever holds it" }),
        dryRun: yesOrNo.optional().meta({ description: "only say who holds it" }),
      }),
      replies: { 200: { description: "It is free; of a dry run, who holds it", schema: UnlockSchema } },
      errors: [404, 409, 502],
      async handle({ params: { id }, query: { force = false, dryRun = false }, ctx }) {
        if (dryRun) {
          noteForAudit(ctx, { user: (await requireQuiet(services, id))?.owner ?? "" })
          const found = await holdersOf(services, id)
          const holders = found?.map(one => ({ ...one, takenAt: new Date(one.takenAt).toISOString() })) ?? null
          return { status: 200, body: { changes: {}, holders } }
        }
        const { owner = "", changes } = await unlockStack(services, id, force)
        noteForAudit(ctx, { user: owner })
        return { status: 200, body: { changes } }
      },
    }),
  ]
}
