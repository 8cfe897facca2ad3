import { z } from "zod"
import { Difference } from "../../../infra/drift/difference.ts"
import type { DriftView, OperatorBy } from "../../drift/drift.ts"
import { notFound } from "../../errors.ts"
import type { Caller, Context } from "../../middleware/request-state.ts"
import type { Services } from "../../services.ts"
import { STATES } from "../../workspaces/transitions.ts"
import { type ApiRoute, route } from "./define.ts"
import { OperationSchema, presentOperation } from "./schemas.ts"

const DifferenceSchema = z
  .object({
    id: z.string().meta({ description: "resource and property; the same for as long as the difference lasts" }),
    resource: Difference.shape.resource,
    kind: Difference.shape.kind,
    words: z.string().meta({ description: "one sentence for people" }),
    mends: Difference.shape.mends.meta({
      description: "repair: the service, by one command; restore: a backup; operator: a person at the provider",
    }),
    todo: z.string().nullable().meta({ description: "what a person does about it" }),
    acceptable: z.boolean(),
  })
  .meta({ id: "Difference" })

const AcceptedSchema = z
  .object({
    id: z.string(),
    words: z.string().meta({ description: "the difference, as it was told when it was accepted" }),
    ...{ reason: z.string(), by: z.string(), at: z.iso.datetime() },
  })
  .meta({ id: "AcceptedDifference" })

export const DriftSchema = z
  .object({
    workspace: z.string(),
    ...{ name: z.string(), owner: z.string(), state: z.enum(STATES) },
    lookedAt: z.iso.datetime().nullable().meta({ description: "when it was looked at last with success" }),
    differences: z.array(DifferenceSchema),
    accepted: z.array(AcceptedSchema),
    failure: z
      .object({ id: z.string(), message: z.string() })
      .nullable()
      .meta({ description: "why the last try to look failed" }),
  })
  .meta({ id: "Drift", description: "What a workspace has at the provider that it shall not, or the other way round" })

const Id = z.object({ id: z.string().max(64) })
const differenceId = z.string().min(1).max(400)
const AcceptWish = z.strictObject({
  difference: differenceId.meta({ description: "its id, of the newest look" }),
  reason: z.string().trim().min(1, "must say why").max(500),
})
const Accepted = z.object({ drift: DriftSchema, operation: OperationSchema })

/** `/drift` and what is done about it, for operators: whoever's the workspace is. */
export function driftRoutes({ drift, store }: Services): ApiRoute[] {
  const about = { tag: "Operators", forOperators: true, params: Id, errors: [403, 404, 409] as number[] } as const
  const shown = { 200: { description: "The newest look", schema: DriftSchema } }
  const begun = async (id: string) => {
    const operation = await store.operation(id)
    if (!operation) throw notFound("operation")
    return presentOperation(operation)
  }
  const settled = async ({ view, operation }: { view: DriftView; operation: string }) => ({
    status: 202,
    body: { drift: present(view), operation: await begun(operation) },
  })
  return [
    route({
      ...{ id: "listDrift", method: "get", path: "/drift", tag: "Operators", forOperators: true, scope: "read" },
      summary: "List workspaces that are not at the provider as they shall be",
      description: "By the newest look at each; those too that could not be looked at.",
      replies: { 200: { description: "Those that differ", schema: z.object({ workspaces: z.array(DriftSchema) }) } },
      errors: [403],
      handle: async () => ({ status: 200, body: { workspaces: (await drift.all()).map(present) } }),
    }),
    route({
      ...{ ...about, id: "getDrift", method: "get", path: "/workspaces/{id}/drift", scope: "read", replies: shown },
      summary: "See what the newest look at a workspace has found",
      errors: [403, 404],
      async handle({ params: { id } }) {
        const view = await drift.newest(id)
        if (!view) throw notFound("look")
        return { status: 200, body: present(view) }
      },
    }),
    route({
      ...{
        ...about,
        id: "lookForDrift",
        method: "post",
        path: "/workspaces/{id}/drift",
        scope: "write",
        replies: shown,
      },
      summary: "Look now what a workspace really has",
      description: "Asks the provider some eleven questions and changes nothing.",
      handle: async ({ params: { id } }) => ({ status: 200, body: present(await drift.lookNow(id)) }),
    }),
    route({
      ...{ ...about, id: "repairWorkspace", method: "post", path: "/workspaces/{id}/repair", scope: "write" },
      summary: "Make a workspace's resources again what they shall be",
      description: "Nobody at the desktop notices. What needs a restore or a person is left, and said.",
      replies: { 202: { description: "Begun", schema: z.object({ operation: OperationSchema }) } },
      async handle(call) {
        return { status: 202, body: { operation: await begun(await drift.repair(byOf(call), call.params.id)) } }
      },
    }),
    route({
      ...{ ...about, id: "acceptDrift", method: "post", path: "/workspaces/{id}/drift/accept", scope: "write" },
      summary: "Let a difference stay that was made on purpose",
      description:
        "No later operation takes it back, and no look tells of it. Another change of the same thing is told.",
      body: AcceptWish,
      replies: { 202: { description: "Accepted; its stack hears of it by the operation", schema: Accepted } },
      handle: async call =>
        settled(await drift.accept(byOf(call), call.params.id, call.body.difference, call.body.reason)),
    }),
    route({
      ...{ ...about, id: "unacceptDrift", method: "delete", path: "/workspaces/{id}/drift/accept/{difference}" },
      scope: "write",
      summary: "Accept a difference no longer",
      description: "It is one again from the next look on, and a repair takes it away.",
      params: Id.extend({ difference: differenceId }),
      replies: { 202: { description: "Taken back; its stack hears of it by the operation", schema: Accepted } },
      handle: async call => settled(await drift.unaccept(byOf(call), call.params.id, call.params.difference)),
    }),
  ]
}

const byOf = ({ caller: { user }, ctx }: { caller: Caller; ctx: Context }): OperatorBy => ({
  ...{ login: user.login, requestedBy: user.id, request: ctx.state.requestId },
})

function present({ at, triedAt: _, differences, accepted, ...view }: DriftView): z.input<typeof DriftSchema> {
  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    ...view,
    lookedAt: at === null ? null : iso(at),
    differences: differences.map(({ accept, ...one }) => ({ ...one, acceptable: accept !== null })),
    accepted: accepted.map(({ change: _, ...one }) => ({ ...one, at: iso(one.at) })),
  }
}
