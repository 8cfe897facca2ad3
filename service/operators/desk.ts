import type { Machine } from "../../infra/machines/contract.ts"
import { inProject, projectOf } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { notFound, ServiceError } from "../errors.ts"
import { isOver, type Operation } from "../operations/operation.ts"
import type { Services } from "../services.ts"
import type { Behalf } from "../workspaces/begin.ts"
import { within } from "../workspaces/providers.ts"
import { KEY } from "../workspaces/store.ts"
import { PROFILES, type Workspace } from "../workspaces/workspace.ts"
import { type FleetQuery, imageKey, type NewestImages, type Owned, selectFleet } from "./fleet.ts"
import type { Person } from "./people.ts"
import { type Action, type Plan, planOf } from "./plan.ts"

/** What operators have before them; pages and the API show the same. */
export type DeskMeans = Pick<
  Services,
  "store" | "people" | "workspaces" | "images" | "projects" | "machines" | "redis" | "config" | "locksOf" | "operators"
>

/** Operations of one workspace that are shown. */
const OPERATIONS = 20

/** The newest images of all projects. */
export async function newestImages({
  images,
  projects,
}: Pick<DeskMeans, "images" | "projects">): Promise<NewestImages> {
  const kinds = projects.names.flatMap(project => PROFILES.map(profile => ({ project, profile })))
  const found = await Promise.all(
    kinds.map(async ({ project, profile }) => {
      const newest = await images.find(profile, project).catch(() => null)
      return [imageKey({ profile, ...inProject(project) }), newest] as const
    }),
  )
  return Object.fromEntries(found)
}

/** All workspaces that a query selects, newest first. */
export async function findFleet(means: DeskMeans, query: FleetQuery): Promise<Owned[]> {
  const { store, people } = means
  const all = (await Promise.all((await store.ids()).map(store.get))).filter(one => one !== null)
  const logins = await people.logins(all.map(one => one.owner))
  const owned = all.map(workspace => ({ workspace, login: logins.get(workspace.owner) ?? workspace.owner }))
  return selectFleet(owned, query, query.outdated === undefined ? {} : await newestImages(means))
}

/** Everything about one workspace. */
export interface Dossier {
  workspace: Workspace
  /** Null: nobody knows its owner any more. */
  owner: Person | null
  operations: Operation[]
  /** What the provider has under its label; null: it does not answer. */
  machines: Machine[] | null
  /** Who holds the lock of its stack; null where the backend does not tell. */
  locks: { pid: number; hostname: string; takenAt: number }[] | null
  /** Is a worker at it? */
  leased: boolean
}

/** @throws ServiceError `not-found` */
export async function dossierOf(means: DeskMeans, id: string): Promise<Dossier> {
  const { store, people, machines, redis, locksOf } = means
  const workspace = await store.get(id)
  if (!workspace) throw notFound("workspace")
  const [owner, operations, found, locks, leased] = await Promise.all([
    people.get(workspace.owner),
    store.operationsOf(id, OPERATIONS),
    within(
      machines.list({ [LABELS.managedBy]: MANAGER, [LABELS.workspace]: id }, { project: projectOf(workspace) }),
    ).catch(() => null),
    locksOf(id),
    redis.exists(KEY.lease(id)),
  ])
  return { workspace, owner, operations, machines: found, locks, leased: leased === 1 }
}

/** What an action would begin now. @throws ServiceError `not-found` */
export async function planFor(
  { store, config }: Pick<DeskMeans, "store" | "config">,
  id: string,
  action: Action,
): Promise<{ workspace: Workspace; plan: Plan }> {
  const workspace = await store.get(id)
  if (!workspace) throw notFound("workspace")
  const last = workspace.operation ? await store.operation(workspace.operation) : null
  return { workspace, plan: planOf(action, workspace, last, config.stopMode) }
}

/** Begins an action on anybody's workspace. @returns the operation @throws ServiceError as `workspaces` does, `owner-suspended` */
export async function actOn(
  means: Pick<DeskMeans, "workspaces" | "people">,
  by: Behalf,
  id: string,
  action: Action,
): Promise<string> {
  const { workspaces, people } = means
  if (action === "start") {
    const { owner } = await workspaces.get(by, id)
    const suspension = (await people.get(owner))?.suspended
    if (suspension && !suspension.keepRunning) {
      throw new ServiceError(
        "owner-suspended",
        409,
        "Its owner is suspended, so it would be stopped again: resume them first.",
      )
    }
  }
  switch (action) {
    case "stop":
      return workspaces.stop(by, id)
    case "start":
      return workspaces.start(by, id)
    case "retry":
      return workspaces.retry(by, id)
    case "backup":
      return workspaces.backup(by, id)
    case "destroy":
      return workspaces.destroy(by, id)
  }
}

/** Refuses work on a stack by hand while an operation is at it. @throws ServiceError `not-found` or `busy` */
export async function requireQuiet({ store }: Pick<DeskMeans, "store">, id: string): Promise<Workspace | null> {
  const workspace = await store.get(id)
  const last = workspace?.operation ? await store.operation(workspace.operation) : null
  if (last && !isOver(last)) {
    throw new ServiceError("busy", 409, `Its ${last.kind} is ${last.state}: wait until it is over.`, { next: "retry" })
  }
  return workspace
}
