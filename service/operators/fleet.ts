import type { ImageId } from "../../infra/image-id.ts"
import { STATES, type State } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"

/** Which workspaces are wanted; what is left out selects nothing. */
export interface FleetQuery {
  /** Part of an id, a name, its owner's login name or id, a size or a region. */
  search?: string | undefined
  state?: State | undefined
  region?: string | undefined
  owner?: string | undefined
  /** Of an image other than the newest one of its profile? */
  outdated?: boolean | undefined
}

/** A workspace, and who has it. */
export interface Owned {
  workspace: Workspace
  /** Login name; the user's id where nobody knows it any more. */
  login: string
}

/** Ids of the newest images, by `imageKey`; null where there is none, or nobody knows now. */
export type NewestImages = Partial<Record<string, ImageId | null>>

/** Each project has images of its own. */
export const imageKey = (of: { profile: string; project?: string | undefined }): string =>
  of.project === undefined ? of.profile : `${of.project} ${of.profile}`

/** Those that are wanted, newest first. Pure. */
export function selectFleet(all: Owned[], query: FleetQuery, newest: NewestImages = {}): Owned[] {
  const { search, state, region, owner, outdated } = query
  const part = search?.trim().toLowerCase() ?? ""
  return all
    .filter(({ workspace, login }) => {
      const { id, name, size } = workspace
      const texts = [id, name, login, workspace.owner, size, workspace.region]
      return (
        (part === "" || texts.some(text => text.toLowerCase().includes(part))) &&
        (state === undefined || workspace.state === state) &&
        (region === undefined || workspace.region === region) &&
        (owner === undefined || workspace.owner === owner || login.toLowerCase() === owner.toLowerCase()) &&
        (outdated === undefined || outdated === isOutdated(workspace, newest))
      )
    })
    .sort((a, b) => b.workspace.createdAt - a.workspace.createdAt || a.workspace.id.localeCompare(b.workspace.id))
}

export function isOutdated(workspace: Workspace, newest: NewestImages): boolean {
  const id = newest[imageKey(workspace)]
  return id != null && id !== workspace.image
}

/** How many there are in each state; states that none is in are left out. Pure. */
export function countStates(all: Pick<Workspace, "state">[]): { state: State; count: number }[] {
  return STATES.map(state => ({ state, count: all.filter(one => one.state === state).length })).filter(
    ({ count }) => count > 0,
  )
}
