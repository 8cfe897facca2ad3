import type { Redis } from "ioredis"
import type { Accepted } from "../../infra/accepted.ts"
import { InfraError } from "../../infra/errors.ts"
import { notFound, ServiceError } from "../errors.ts"
import { isOver } from "../operations/operation.ts"
import { loadScript } from "../redis/scripts.ts"
import type { Behalf } from "../workspaces/begin.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import type { State } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { Look, Looks } from "./looks.ts"

const acceptScript = loadScript(new URL("lua/accept.lua", import.meta.url))

/** What is known of a workspace's drift: the newest look, and what is accepted. */
export interface DriftView extends Look {
  workspace: string
  name: string
  owner: string
  state: State
  accepted: Accepted[]
}

/** An operator, as one who acts on what anybody has. */
export interface OperatorBy extends Behalf {
  /** Login name, which stands with what they accept. */
  login: string
}

/** For operators: every workspace is in reach here, whoever's it is. */
export interface DriftService {
  /** @returns null where it was never looked at. @throws ServiceError `not-found` */
  newest(id: string): Promise<DriftView | null>
  /** All that differ, and those that could not be looked at. */
  all(): Promise<DriftView[]>
  /** How many workspaces differ, of how many the newest look failed, and when any was looked at last. */
  counts(): Promise<{ drifted: number; failed: number; lookedAt: number | null }>
  /** @throws ServiceError `not-found`, `changed-meanwhile`, `not-at-rest`, or what the look failed by */
  lookNow(id: string): Promise<DriftView>
  /**
   * Begins a repair.
   * @returns the operation. @throws ServiceError `not-found`, `illegal-transition`, `busy` or `changed-meanwhile`
   */
  repair(by: OperatorBy, id: string): Promise<string>
  /**
   * Lets a difference of the newest look stay. The stack hears of it by an operation, which touches no resource.
   * @throws ServiceError `not-found`, `no-such-difference`, `cannot-be-accepted`, and as `repair`
   */
  accept(
    by: OperatorBy,
    id: string,
    difference: string,
    reason: string,
  ): Promise<{ view: DriftView; operation: string }>
  /** Takes that back: it is a difference again. @throws ServiceError `not-found`, `not-accepted`, and as `repair` */
  unaccept(by: OperatorBy, id: string, difference: string): Promise<{ view: DriftView; operation: string }>
}

export function createDrift(means: {
  redis: Redis
  store: WorkspaceStore
  workspaces: Pick<Workspaces, "repairAs">
  looks: Looks
  now: () => number
}): DriftService {
  const { redis, store, workspaces, looks, now } = means

  async function find(id: string): Promise<Workspace> {
    const workspace = await store.get(id)
    if (!workspace || workspace.state === "TERMINATED") throw notFound("workspace")
    return workspace
  }

  async function newest(id: string): Promise<DriftView | null> {
    const [workspace, look] = [await find(id), await looks.newest(id)]
    return look && view(workspace, look)
  }

  /** A workspace at which nothing goes on: an operator's wish cuts off nothing of its owner's. */
  async function atRest(id: string): Promise<Workspace> {
    const workspace = await find(id)
    const last = workspace.operation ? await store.operation(workspace.operation) : null
    if (last === null || isOver(last)) return workspace
    throw new ServiceError("busy", 409, "Something is going on with this workspace: wait until it has come to rest.", {
      next: "retry",
    })
  }

  async function note(workspace: Workspace, difference: string, entry: Accepted | null): Promise<void> {
    const args = [workspace.epoch, difference, entry ? JSON.stringify(entry) : ""]
    if ((await acceptScript.run(redis, [KEY.workspace(workspace.id)], args)) === 1) return
    throw meanwhile()
  }

  /** The stack is told by an operation of its own, since nobody else may be at work on it. */
  async function settle({ login: _, ...by }: OperatorBy, { id, epoch }: Workspace) {
    const operation = await workspaces.repairAs(by, id, { epoch, settles: true })
    const shown = await newest(id)
    if (!shown) throw notFound("look")
    return { view: shown, operation }
  }

  return {
    newest,
    async all() {
      const ids = await store.ids()
      const found = await looks.newestOf(ids)
      const views: DriftView[] = []
      for (const [at, id] of ids.entries()) {
        const look = found[at]
        if (!look || (look.differences.length === 0 && look.failure === null)) continue
        const workspace = await store.get(id)
        if (workspace) views.push(view(workspace, look))
      }
      return views
    },
    async counts() {
      const found = await looks.newestOf(await store.ids())
      return {
        drifted: found.filter(one => one !== null && one.differences.length > 0).length,
        failed: found.filter(one => one !== null && one.failure !== null).length,
        lookedAt: found.reduce<number | null>((last, one) => (one?.at && one.at > (last ?? 0) ? one.at : last), null),
      }
    },
    async lookNow(id) {
      const workspace = await find(id)
      if (workspace.state !== "RUNNING" && workspace.state !== "IDLE" && workspace.state !== "STOPPED") {
        throw new ServiceError(
          "not-at-rest",
          409,
          `A workspace that is ${workspace.state} is not looked at: nobody can say what it shall be at this moment.`,
        )
      }
      try {
        const look = await looks.look(workspace)
        if (look) return view(await find(id), look)
      } catch (error) {
        if (!(error instanceof InfraError)) throw error
        throw new ServiceError(error.id, 503, error.message, { next: error.next })
      }
      throw meanwhile()
    },
    async repair({ login: _, ...by }, id) {
      const { epoch } = await atRest(id)
      return workspaces.repairAs(by, id, { epoch })
    },
    async accept(by, id, difference, reason) {
      const workspace = await atRest(id)
      const look = await looks.newest(id)
      const found = look?.differences.find(one => one.id === difference)
      if (!look || !found) {
        throw new ServiceError("no-such-difference", 404, "The newest look has found no such difference: look again.")
      }
      if (found.accept === null) {
        throw new ServiceError(
          "cannot-be-accepted",
          409,
          found.todo === null
            ? "The service rests on this being as it was: it can be repaired, not accepted."
            : `This cannot be accepted. ${found.todo}`,
        )
      }
      const entry = { id: found.id, change: found.accept, words: found.words, reason, by: by.login, at: now() }
      await note(workspace, difference, entry)
      return settle(by, workspace)
    },
    async unaccept(by, id, difference) {
      const workspace = await atRest(id)
      if (!workspace.accepted.some(one => one.id === difference)) {
        throw new ServiceError("not-accepted", 404, "No such difference of this workspace is accepted.")
      }
      await note(workspace, difference, null)
      return settle(by, workspace)
    },
  }
}

function view({ id, name, owner, state, accepted }: Workspace, look: Look): DriftView {
  const ids = new Set(accepted.map(one => one.id))
  // A look from before something was accepted still has it.
  const isAccepted = (one: { id: string; words: string }) =>
    ids.has(one.id) && accepted.some(entry => entry.id === one.id && entry.words === one.words)
  const differences = look.differences.filter(one => !isAccepted(one))
  return { ...look, differences, workspace: id, name, owner, state, accepted }
}

const meanwhile = () =>
  new ServiceError("changed-meanwhile", 409, "The workspace has changed meanwhile: try again.", { next: "retry" })
