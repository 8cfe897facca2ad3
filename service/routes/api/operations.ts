import { z } from "zod"
import { noteForAudit } from "../../middleware/audited.ts"
import type { Caller, Context } from "../../middleware/request-state.ts"
import type { Operation } from "../../operations/operation.ts"
import { cancelOperation, operationOf } from "../../operations/operations.ts"
import { mayOperate } from "../../operators/operators.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"
import { eventStream } from "./operation-events.ts"
import { OperationSchema, presentOperation, presentTimes, TimedOperationSchema } from "./schemas.ts"

const Id = z.object({ id: z.string().min(1).max(64).meta({ description: "id of the operation" }) })
/** Place in a Redis stream. Its digits are named, since elsewhere `\d` is any script's. */
const EventId = z.string().regex(/^[0-9]{1,19}-[0-9]{1,19}$/, "must be the id of an event")
const Started = z.object({ operation: OperationSchema })
/** Operations in a list at most. */
const LISTED = 50

/** `/operations`: list, read, follow, cancel, try again. */
export function operationRoutes(services: Services): ApiRoute[] {
  const { store, workspaces, operators, traces } = services
  const accepted = async (id: string) => {
    const found = await store.operation(id)
    return { status: 202, body: { operation: found ? presentOperation(found) : null } }
  }

  /** An operation that the caller may reach: their own, or for operators anybody's, of which the audit log is told. */
  async function reached(ctx: Context, caller: Caller, id: string): Promise<Operation> {
    const found = await store.operation(id)
    if (!found || found.owner === caller.user.id || !mayOperate(operators, caller)) {
      return operationOf(services, caller.user.id, id)
    }
    noteForAudit(ctx, { reaches: true, user: found.owner, workspace: found.workspace, operation: id })
    return found
  }

  const list = route({
    id: "listOperations",
    method: "get",
    path: "/operations",
    tag: "Operations",
    summary: "List the operations of a workspace, newest first",
    scope: "read",
    query: z.object({ workspace: z.string().min(1).max(40) }),
    replies: { 200: { description: "The last 50", schema: z.object({ operations: z.array(OperationSchema) }) } },
    errors: [404],
    async handle({ caller, query }) {
      await workspaces.get(caller.user.id, query.workspace)
      const all = await store.operationsOf(query.workspace, LISTED)
      return { status: 200, body: { operations: all.map(presentOperation) } }
    },
  })

  const get = route({
    id: "getOperation",
    method: "get",
    path: "/operations/{id}",
    tag: "Operations",
    summary: "Get an operation, with what its time was spent on",
    description:
      "A `traceparent` (W3C Trace Context) in the request that begins an operation makes that trace the operation's; else it has one of its own.",
    scope: "read",
    params: Id,
    replies: { 200: { description: "The operation", schema: TimedOperationSchema } },
    errors: [404],
    async handle({ caller, params, ctx }) {
      const found = await reached(ctx, caller, params.id)
      return { status: 200, body: presentTimes(found, await traces.spansOf(found.id)) }
    },
  })

  const follow = route({
    id: "followOperation",
    method: "get",
    path: "/operations/{id}/events",
    tag: "Operations",
    summary: "Follow an operation",
    description:
      "Server-Sent Events from the beginning, or after `Last-Event-ID`: `step` (begun, done or failed), `log` (a line) and `state`. The stream ends with the operation.",
    scope: "read",
    params: Id,
    headers: z.object({ "last-event-id": EventId.optional() }),
    replies: { 200: { description: "The events", type: "text/event-stream" } },
    errors: [404],
    async handle({ caller, params, headers, ctx }) {
      await reached(ctx, caller, params.id)
      // Not `events.once`: that one rejects when a reader goes in the middle, which is no error here.
      const gone = new Promise<void>(resolve => ctx.req.once("close", () => resolve()))
      const body = eventStream(services, { id: params.id, after: headers["last-event-id"] ?? null, gone })
      return { status: 200, headers: { "X-Accel-Buffering": "no" }, body }
    },
  })

  const cancel = route({
    id: "cancelOperation",
    method: "post",
    path: "/operations/{id}/cancel",
    tag: "Operations",
    summary: "Cancel an operation",
    scope: "write",
    params: Id,
    replies: { 202: { description: "It will end soon", schema: Started } },
    errors: [404, 409],
    async handle({ caller, params, ctx }) {
      const { owner } = await reached(ctx, caller, params.id)
      await cancelOperation(services, owner, params.id)
      return accepted(params.id)
    },
  })

  const retry = route({
    id: "retryOperation",
    method: "post",
    path: "/operations/{id}/retry",
    tag: "Operations",
    summary: "Try again what failed",
    scope: "write",
    params: Id,
    replies: { 202: { description: "Begun: a new operation", schema: Started } },
    errors: [404, 409],
    async handle({ caller, params }) {
      const { workspace } = await operationOf(services, caller.user.id, params.id)
      return accepted(await workspaces.retry(caller.user.id, workspace))
    },
  })
  return [list, get, follow, cancel, retry]
}
