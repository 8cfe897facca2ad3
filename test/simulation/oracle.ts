import type { ImageRecord, ServerRecord } from "../../local-cloud/state/records.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** What was promised, in this file's own words: nothing of the service's code is used here. */
export interface Promises {
  backupDays: number
  finalDays: number
  proofDays: number
}

/** A moment at which nothing goes on, as the provider's own records show it. */
export interface Moment {
  at: number
  images: ImageRecord[]
  servers: ServerRecord[]
  /** Workspaces that are there, with whether they have a machine that is on. */
  workspaces: Map<string, { isOn: boolean; isAsleep: boolean; isFailed: boolean }>
  /** Backups that their owners have removed since the moment before. */
  removedByPeople: Set<number>
}

/** How late something may be that has to be tried again and again. */
const LATE_MS = 6 * HOUR
/** A workspace in use is covered at least so often; a day, and some hours where its habits have changed. */
const COVERED_MS = 30 * HOUR
/** Between two looks of the service that may have failed, some of them. */
const LOOK_MS = 4 * HOUR
/** Two backups of the schedule are at least so far apart. */
const APART_MS = 15 * HOUR

/** Watches a world go by and keeps a book of its own; every broken promise becomes a sentence. */
export function createOracle(promises: Promises) {
  const broken: string[] = []
  const counted = { backups: 0, removed: 0, trials: 0, failedTrials: 0, kept: 0 }
  /** Images of the moment before, and all that ever came to be. */
  let before = new Map<number, ImageRecord>()
  const everScheduled = new Map<string, Map<number, number>>()
  /** Since when a workspace was on without a copy made later. */
  const uncovered = new Map<string, number>()
  const firstSeen = new Map<string, number>()
  const lastTrial = new Map<string, number>()
  const trials = new Set<string>()
  /** Since when an image is what a deleted workspace has left; before that it may have been slept in for long. */
  const finalSince = new Map<number, number>()
  let lastAt = 0

  const complain = (at: number, text: string) => broken.push(`${new Date(at).toISOString().slice(0, 16)} ${text}`)
  const label = (image: ImageRecord, name: string) => image.labels[`foozol-${name}`]
  const timeLabel = (image: ImageRecord, name: string) => Number(label(image, name) ?? Number.NaN) * 1000
  const ownerOf = (image: ImageRecord) => label(image, "workspace") ?? ""
  const madeAt = (image: ImageRecord) => Date.parse(image.created)
  const isGood = (image: ImageRecord) =>
    label(image, "snapshot") === "backup" && image.status === "available" && label(image, "proof") !== "failed"

  function look({ at, images, servers, workspaces, removedByPeople }: Moment): void {
    const now = new Map(images.filter(one => one.type === "snapshot").map(one => [one.id, one]))
    for (const image of now.values()) {
      note(image)
      if (label(image, "snapshot") === "final" && !finalSince.has(image.id)) finalSince.set(image.id, at)
    }
    for (const [id, image] of before) {
      if (!now.has(id) && !removedByPeople.has(id)) judgeRemoval(at, image, [...now.values()], workspaces)
    }
    for (const image of now.values()) judgePresence(at, image, [...now.values()], workspaces)
    for (const [workspace, one] of workspaces) judgeCover(at, workspace, one, [...now.values()])
    judgeMachines(at, servers, workspaces)
    before = now
    lastAt = at
  }

  function note(image: ImageRecord): void {
    const workspace = ownerOf(image)
    const scheduledAt = timeLabel(image, "scheduled")
    if (image.status === "available" && scheduledAt > 0) {
      const its = everScheduled.get(workspace) ?? new Map<number, number>()
      everScheduled.set(workspace, its)
      if (!its.has(image.id)) {
        label(image, "snapshot") === "sleep" ? counted.kept++ : counted.backups++
        for (const other of its.values()) {
          if (Math.abs(other - scheduledAt) < APART_MS)
            complain(scheduledAt, `${workspace} was backed up twice within ${Math.abs(other - scheduledAt) / HOUR} h`)
        }
        its.set(image.id, scheduledAt)
      }
    }
    // One backup may be tried out more than once.
    const trial = `${image.id} ${label(image, "proven-at")}`
    if (label(image, "proof") && !trials.has(trial)) {
      trials.add(trial)
      counted.trials++
      if (label(image, "proof") === "failed") counted.failedTrials++
      lastTrial.set(workspace, Math.max(lastTrial.get(workspace) ?? 0, timeLabel(image, "proven-at")))
    }
  }

  /** Was it right that this one has gone? */
  function judgeRemoval(at: number, image: ImageRecord, left: ImageRecord[], workspaces: Moment["workspaces"]): void {
    const [kind, workspace] = [label(image, "snapshot"), ownerOf(image)]
    const lives = workspaces.get(workspace)
    const what = `${kind} ${image.id} of ${workspace}`
    if (image.status !== "available") return
    if (kind === "sleep") {
      if (lives?.isAsleep && !left.some(one => ownerOf(one) === workspace && label(one, "snapshot") === "sleep"))
        complain(at, `${what} is gone, and the workspace sleeps in it`)
      if (timeLabel(image, "scheduled") > 0 && lives) complain(at, `${what} is gone, and was a day's backup`)
      return
    }
    counted.removed++
    const days = kind === "final" ? promises.finalDays : kind === "safety" ? 7 : promises.backupDays
    if (kind === "backup" && !(timeLabel(image, "scheduled") > 0))
      complain(at, `${what} is gone, and a person had made it`)
    const since = Math.max(madeAt(image), timeLabel(image, "scheduled") || 0, finalSince.get(image.id) ?? 0)
    // It is seen for the first time some while after it was made.
    if (at - since < days * DAY - 2 * HOUR) complain(at, `${what} is gone after ${(at - since) / DAY} of ${days} days`)
    if (!lives || kind !== "backup") return
    const good = left.filter(one => ownerOf(one) === workspace && isGood(one))
    if (isGood(image) && good.length === 0) complain(at, `${what} is gone, and no good one is left`)
    const newest = good.sort((a, b) => madeAt(b) - madeAt(a))[0]
    if (isGood(image) && newest && !label(newest, "proof") && good.length === 1)
      complain(at, `${what} is gone, and the only one left is not proven`)
  }

  /** Is it right that this one is still there? */
  function judgePresence(at: number, image: ImageRecord, all: ImageRecord[], workspaces: Moment["workspaces"]): void {
    const [kind, workspace] = [label(image, "snapshot"), ownerOf(image)]
    const age = at - Math.max(madeAt(image), timeLabel(image, "scheduled") || 0)
    const what = `${kind} ${image.id} of ${workspace}`
    if (image.status !== "available") {
      if (age > HOUR + LATE_MS) complain(at, `${what} is ${image.status} and has been there for ${age / HOUR} h`)
      return
    }
    const left = at - (finalSince.get(image.id) ?? at)
    if (left > promises.finalDays * DAY + LATE_MS) complain(at, `${what} is too old`)
    if (
      kind === "sleep" &&
      !workspaces.get(workspace)?.isAsleep &&
      age > LATE_MS &&
      !workspaces.get(workspace)?.isFailed
    )
      complain(at, `${what} is there, and nobody sleeps in it`)
    if (kind !== "backup" || !(timeLabel(image, "scheduled") > 0)) return
    if (age <= promises.backupDays * DAY + LATE_MS) return
    // Beyond its time it may only stay as what there is to fall back on: at most one newer one is there that is good,
    // and that one is not proven; or it is the proven one itself, and none newer is.
    // What has come to be since the last look counts at the next one.
    const isOld = (one: ImageRecord) => at - Math.max(madeAt(one), timeLabel(one, "proven-at") || 0) > LOOK_MS
    const newer = all.filter(
      one => ownerOf(one) === workspace && isGood(one) && isOld(one) && madeAt(one) > madeAt(image),
    )
    const newest = newer.sort((a, b) => madeAt(b) - madeAt(a))[0]
    if (!workspaces.has(workspace)) complain(at, `${what} is too old, and its workspace is gone`)
    else if (newest && label(newest, "proof") === "passed") complain(at, `${what} is too old: the newest is proven`)
    else if (newer.length > 1 && label(image, "proof") !== "passed") complain(at, `${what} is too old: newer are good`)
  }

  /** Is what was done on this workspace somewhere else by now? */
  function judgeCover(
    at: number,
    workspace: string,
    one: { isOn: boolean; isAsleep: boolean; isFailed: boolean },
    all: ImageRecord[],
  ): void {
    if (!firstSeen.has(workspace)) firstSeen.set(workspace, at)
    const copies = all.filter(
      image =>
        ownerOf(image) === workspace &&
        image.status === "available" &&
        (label(image, "snapshot") === "backup" || (label(image, "snapshot") === "sleep" && one.isAsleep)),
    )
    const newest = Math.max(0, ...copies.map(madeAt))
    const since = uncovered.get(workspace)
    if (since !== undefined && newest >= since) {
      if (one.isOn) uncovered.set(workspace, Math.max(newest, lastAt))
      else uncovered.delete(workspace)
    } else if (since === undefined && one.isOn) uncovered.set(workspace, at)
    const waiting = at - (uncovered.get(workspace) ?? at)
    if (waiting > COVERED_MS + LATE_MS && !one.isFailed)
      complain(at, `${workspace} was not backed up for ${(waiting / HOUR).toFixed(1)} h of use`)
  }

  function judgeMachines(at: number, servers: ServerRecord[], workspaces: Moment["workspaces"]): void {
    const owners = new Map<string, number>()
    for (const server of servers) {
      const workspace = server.labels["foozol-workspace"]
      const age = at - Date.parse(server.created)
      if (workspace === undefined) {
        if (age > LATE_MS) complain(at, `machine ${server.name} is nobody's and ${(age / HOUR).toFixed(1)} h old`)
        continue
      }
      owners.set(workspace, (owners.get(workspace) ?? 0) + 1)
      if (!workspaces.has(workspace)) complain(at, `machine ${server.name} has no workspace`)
    }
    for (const [workspace, count] of owners) if (count > 1) complain(at, `${workspace} has ${count} machines`)
  }

  /** When all is said and done: every workspace with a backup for a day has had one tried out lately. */
  function end({ at, images, servers, workspaces }: Moment): void {
    for (const workspace of workspaces.keys()) {
      const its = images.filter(
        one => ownerOf(one) === workspace && one.status === "available" && label(one, "snapshot") === "backup",
      )
      const untried = its.filter(one => !label(one, "proof")).sort((a, b) => madeAt(b) - madeAt(a))
      const waits = Math.min(...untried.map(one => at - madeAt(one)))
      const tried = at - (lastTrial.get(workspace) ?? 0)
      if (waits > DAY + LATE_MS && untried[0] !== undefined && tried > (promises.proofDays + 1) * DAY + LATE_MS)
        complain(at, `${workspace} has backups, and none was tried out for ${(tried / DAY).toFixed(1)} days`)
    }
    for (const server of servers) {
      if (server.labels["foozol-workspace"] === undefined) complain(at, `machine ${server.name} is left over`)
    }
  }

  return { look, end, broken, counted }
}
