import type { Repository } from "../../../infra/repositories/repository.ts"
import type { Workspace } from "../../workspaces/workspace.ts"
import { type Html, html } from "../html.ts"

/** The repository and its branch, as a card shows them. */
export const repositoryLabel = (repository: Repository): Html =>
  html`${repository.path}${repository.branch !== null && html` <span class="soft">(${repository.branch})</span>`}`

/** Is its machine at work on it now? */
export const isFetching = ({ repository, fetch }: Workspace) =>
  repository !== null && (fetch?.state === "fetching" || isMade(fetch?.container))

type Container = NonNullable<Workspace["fetch"]>["container"]
const isMade = (container: Container) => container?.state === "starting" || container?.state === "building"

/** What scripts compare to see that a page is out of date; the API tells the same. */
export const fetchMark = ({ repository, fetch }: Workspace) =>
  repository === null || fetch === null
    ? null
    : `${fetch.state} ${fetch.percent ?? ""} ${fetch.container?.state ?? ""} ${fetch.container?.line ?? ""}`

/** The repository and how far its machine is with it. */
export function repositoryWords(repository: Repository, fetch: Workspace["fetch"]): Html {
  const label = repositoryLabel(repository)
  const reason = fetch?.reason !== undefined && html`<p class="reason">${fetch.reason}</p>`
  if (fetch === null) return html`${label}<p class="small soft">Fetched by the machine as soon as it is on.</p>`
  if (fetch.state === "fetched") {
    return html`${label}, fetched${fetch.folder !== undefined && html` into <code>~/${fetch.folder}</code>`}`
  }
  if (fetch.state === "failed") {
    return html`${label} could not be fetched${reason}<p class="small soft">It is tried again when your <a href="/account#secrets">keys</a> change, and when the workspace starts.</p>`
  }
  return html`Fetching ${label}${fetch.percent !== undefined && `: ${fetch.percent} %`}${reason}${reason && html`<p class="small soft">It is tried again by itself.</p>`}`
}
