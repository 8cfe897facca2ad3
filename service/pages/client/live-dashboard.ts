/// <reference lib="dom" />
import { progressOf } from "../progress.ts"
import { wholeTimeline } from "../timeline.ts"
import { duration } from "../words.ts"
import { setBar, setText } from "./bar.ts"
import { renew } from "./fragment.ts"

/**
 * While something moves and the tab is seen: asks how the workspaces are, and shows them anew once that has changed.
 * What is at rest is loaded again when the page itself says that it will be different by then. How far a repository is
 * stands in a part of its own, so that what somebody types beside it stays.
 */

const ASK_EVERY = 3_000
/** The service looks at the use of workspaces so often; and a page is not loaded again more often than the other. */
const [LATER, AT_MOST_EVERY] = [20_000, 60_000]

/** Milliseconds this clock is ahead of the service's. */
let ahead = aheadNow()
let asking = false
let renewedAt = Date.now()

const place = () => document.getElementById("workspaces")
const cards = () => [...document.querySelectorAll<HTMLElement>("#workspaces [data-workspace]")]
const isMoving = () => place()?.dataset.moving !== undefined

function aheadNow(): number {
  return Date.now() - Number(document.getElementById("workspaces")?.dataset.now ?? Date.now())
}

/** What the API tells of a workspace, as far as it is looked at. */
interface Told {
  id: string
  state: string
  /** Left out by a service of before this was told. */
  repository?: {
    state: string
    percent: number | null
    container?: { state: string; line: string | null } | null
  } | null
}

/** As the API tells them; null when it could not be asked. */
async function ask(): Promise<Told[] | null> {
  const response = await fetch("/api/v1/workspaces", { headers: { accept: "application/json" } })
  if (response.status === 401) location.reload()
  if (!response.ok) return null
  const { workspaces } = (await response.json()) as { workspaces: Told[] }
  // A page of one workspace is not concerned with the others.
  const only = place()?.dataset.only
  return only === undefined ? workspaces : workspaces.filter(({ id }) => id === only)
}

/** The part of a workspace's page that says how far its repository is, while its machine is at work on it. */
const fetching = () => document.querySelector<HTMLElement>("#repository[data-moves]")

/** As the page notes it. */
const fetchMark = ({ repository }: Told) =>
  `${repository?.state} ${repository?.percent ?? ""} ${repository?.container?.state ?? ""} ${repository?.container?.line ?? ""}`

/** Is the operation over that the page says goes on? One that leaves the state alone is seen by nothing else. */
async function askOperation(): Promise<boolean> {
  const id = place()?.dataset.operation
  if (id === undefined) return false
  const response = await fetch(`/api/v1/operations/${encodeURIComponent(id)}`)
  if (!response.ok) return false
  return ((await response.json()) as { finishedAt: string | null }).finishedAt !== null
}

const shownStates = () => new Map(cards().map(card => [card.dataset.workspace ?? "", card.dataset.state ?? ""]))

/** Is what the page says of idle times and stops over? */
function isOutdated(): boolean {
  const changes = Number(place()?.dataset.changes ?? Number.POSITIVE_INFINITY)
  return Date.now() - ahead > changes + LATER && Date.now() - renewedAt > AT_MOST_EVERY
}

async function look(): Promise<void> {
  if (asking || document.hidden || !(isMoving() || isOutdated() || fetching())) return
  asking = true
  try {
    const [told, isOver, before] = [await ask(), await askOperation(), shownStates()]
    if (told === null) return
    if (same(new Map(told.map(({ id, state }) => [id, state])), before) && !isOver && !isOutdated()) {
      const [shown, own] = [fetching(), told[0]]
      if (shown && own && fetchMark(own) !== shown.dataset.fetch) await renew("repository", ["dev-container"])
      return
    }
    renewedAt = Date.now()
    if (!(await renew("workspaces"))) return
    ahead = aheadNow()
    announce(before)
    tick()
  } catch {
    // The net is away; the next look tries again.
  } finally {
    asking = false
  }
}

const same = (a: Map<string, string>, b: Map<string, string>) =>
  a.size === b.size && [...a].every(([id, state]) => b.get(id) === state)

function announce(before: Map<string, string>): void {
  const words = cards()
    .filter(card => before.get(card.dataset.workspace ?? "") !== card.dataset.state)
    .map(card => `${card.dataset.name} is now: ${card.dataset.stateLabel}.`)
  setText(document.getElementById("changes"), words.join(" "))
}

function tick(): void {
  const now = Date.now() - ahead
  for (const since of document.querySelectorAll<HTMLElement>("[data-since]")) {
    setText(since, duration(now - Number(since.dataset.since)))
  }
  for (const bar of document.querySelectorAll<HTMLElement>("[data-from][data-seconds]")) {
    const expected = { seconds: Number(bar.dataset.seconds), steps: {} }
    setBar(bar, progressOf(wholeTimeline(Number(bar.dataset.from)), expected, now).fraction)
  }
}

setInterval(look, ASK_EVERY)
setInterval(tick, 1_000)
document.addEventListener("visibilitychange", look)
