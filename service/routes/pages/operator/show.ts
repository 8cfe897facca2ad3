import { notFound } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import { isOver } from "../../../operations/operation.ts"
import { dossierOf, findFleet, newestImages } from "../../../operators/desk.ts"
import { isOutdated } from "../../../operators/fleet.ts"
import { ACTIONS, type Action, type Plan, planOf } from "../../../operators/plan.ts"
import {
  type OperatorWorkspaceModel,
  operatorWorkspacePage,
  personPage,
  type UpkeepModel,
  upkeepPage,
} from "../../../pages/index.ts"
import type { Services } from "../../../services.ts"
import { lastSweep } from "../../../sweeps/sweep.ts"
import { PROVIDER_LABELS } from "../../../workspaces/providers.ts"
import { TRANSITIONS } from "../../../workspaces/transitions.ts"
import type { Provider } from "../../../workspaces/workspace.ts"
import { csrfToken, type PageContext, type SignedInCaller, show } from "../forms.ts"

type Said = Pick<OperatorWorkspaceModel, "notice">

const shellOf = ({ keys, now }: Services, caller: SignedInCaller) => ({
  ...{ user: caller.user, csrf: csrfToken(keys, caller), now: now() },
})
/** What could not be done is an answer of its own kind. */
const statusOf = ({ notice }: Said) => (notice?.tone === "error" ? 409 : 200)

export async function showOperatorWorkspace(
  services: Services,
  ctx: PageContext,
  caller: SignedInCaller,
  id: string,
  said: Said = {},
): Promise<void> {
  const { config, people, store } = services
  const [dossier, newest] = await Promise.all([dossierOf(services, id), newestImages(services)])

  const { workspace, operations } = dossier
  noteForAudit(ctx, { reaches: true, user: workspace.owner })
  const drift = workspace.state === "TERMINATED" ? null : await services.drift.newest(id)
  const last = workspace.operation ? await store.operation(workspace.operation) : null
  const plans = Object.fromEntries(
    ACTIONS.map(action => [action, planOf(action, workspace, last, config.stopMode)]),
  ) as Record<Action, Plan>
  const logins = await people.logins(operations.map(one => one.requestedBy))
  const outdated = isOutdated(workspace, newest)
  const isAtRest = (last === null || isOver(last)) && TRANSITIONS.repair.from.includes(workspace.state)
  const known = { dossier, plans, outdated, logins, drift, isAtRest }
  const page = operatorWorkspacePage({ ...shellOf(services, caller), ...known, ...said })
  show(ctx, page, statusOf(said))
}

export async function showPerson(
  services: Services,
  ctx: PageContext,
  caller: SignedInCaller,
  id: string,
  error?: string,
): Promise<void> {
  const { people, operators } = services
  const person = await people.get(id)
  if (!person) throw notFound("user")
  noteForAudit(ctx, { reaches: true, user: person.id })
  const workspaces = await findFleet(services, { owner: id })
  const suspendedBy = person.suspended ? ((await people.get(person.suspended.by))?.login ?? null) : null
  const more = { isOperator: operators.has(person), suspendedBy, ...(error ? { error } : {}) }
  show(ctx, personPage({ ...shellOf(services, caller), person, workspaces, ...more }), error ? 422 : 200)
}

export async function showUpkeep(
  services: Services,
  ctx: PageContext,
  caller: SignedInCaller,
  { isDry = false, foreseen = null, ...said }: Said & Partial<Pick<UpkeepModel, "isDry" | "foreseen">> = {},
): Promise<void> {
  const { rollOuts, images, sweeps, drains, warm, redis } = services
  const away: Provider[] = []
  const [rollOut, found, sweep, spares, orders, workers] = await Promise.all([
    rollOuts.get(),
    images.list(one => away.push(one)).catch(() => null),
    isDry ? sweeps.dry() : lastSweep(redis),
    warm.shown(),
    drains.orders(),
    drains.workers(),
  ])
  const page = upkeepPage({
    ...shellOf(services, caller),
    rollOut,
    images: found,
    away: away.map(one => PROVIDER_LABELS[one]),
    sweep,
    isDry,
    foreseen,
    spares,
    orders,
    workers,
    ...said,
  })
  show(ctx, page, statusOf(said))
}
